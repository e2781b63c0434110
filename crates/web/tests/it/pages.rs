//! The pages: where they are, in which language, and that nothing a reader gives gets out.

use reply::Language;

use crate::server::Server;

#[test]
fn every_list_and_an_entry_of_each_kind_is_there_in_every_language() {
    let server = Server::start();
    let paths = [
        "",
        "codes",
        "enhanced",
        "causes",
        "commands",
        "compare",
        "codes/450",
        "codes/4.2.2",
        "codes/X.2.2",
        "codes/101",
        "codes/511",
        "causes/greylisted",
        "commands/vrfy",
        "commands/pipelining",
        "compare/450-vs-502",
        "search?q=full",
    ];
    for language in Language::COMPLETE {
        for path in paths {
            let answer = server.get(&format!("/{language}/{path}"), "");
            assert_eq!(answer.status, 200, "{language} {path}");
            assert!(answer.body.contains(&format!("<html lang=\"{language}\">")), "{path}");
            assert!(!answer.body.contains("web-") && !answer.body.contains("label-"), "{path}");
        }
    }
}

#[test]
fn an_address_without_a_language_leads_to_the_readers_own() {
    let server = Server::start();
    let answer = server.get("/codes/450", "Accept-Language: de-AT,en;q=0.5\r\n");
    assert_eq!((answer.status, answer.field("location")), (302, Some("/de/codes/450")));
    assert_eq!(answer.field("vary"), Some("Accept-Language"));
    assert_eq!(server.get("/", "").field("location"), Some("/en/"));
}

#[test]
fn what_is_not_there_is_404_and_offers_the_box() {
    let server = Server::start();
    for path in ["/en/codes/999", "/de/causes/gremlins", "/xx/codes/450", "/en/../etc/passwd"] {
        let answer = server.get(path, "");
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("<textarea"), "{path}");
    }
}

#[test]
fn pasted_markup_is_escaped_wherever_it_appears() {
    let server = Server::start();
    let form = "text=450+4.2.0+%3Cscript%3Ealert(1)%3C/script%3E+greylisted";
    let answer = server.post("/en/explain", "application/x-www-form-urlencoded", form.as_bytes());
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("<script>alert"), "{}", answer.body);
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    let answer = server.get("/en/search?q=%22%3E%3Cscript%3E", "");
    assert!(!answer.body.contains("\"><script>"), "{}", answer.body);
    let answer = server.get("/en/compare?a=%3Cb%3E&b=502", "");
    assert!(answer.body.contains("&#60;b&#62;"), "{}", answer.body);
}

#[test]
fn a_reply_is_explained_in_the_language_of_the_page_and_a_code_has_its_own_page() {
    let server = Server::start();
    let explain = |path: &str, form: &str| {
        server.post(path, "application/x-www-form-urlencoded", form.as_bytes())
    };
    let form = "text=450+4.2.0+Greylisted,+try+again+in+300+seconds";
    assert!(explain("/en/explain", form).body.contains("in 5 minutes"));
    assert!(explain("/de/explain", form).body.contains("in 5 Minuten"));
    let answer = explain("/de/explain", "text=+502+");
    assert_eq!((answer.status, answer.field("location")), (303, Some("/de/codes/502")));
    assert!(explain("/en/explain", "text=hello").body.contains("no SMTP reply"));
    assert!(explain("/en/explain", "%%%=&&&").status == 200);
}

#[test]
fn a_page_allows_nothing_from_elsewhere_and_names_its_siblings() {
    let server = Server::start();
    let answer = server.get("/en/codes/450", "");
    let policy = answer.field("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let canonical = "<link rel=\"canonical\" href=\"https://replies.test/en/codes/450\">";
    assert!(answer.body.contains(canonical));
    assert!(answer.body.contains("hreflang=\"de\" href=\"https://replies.test/de/codes/450\""));
    let default = "hreflang=\"x-default\" href=\"https://replies.test/en/codes/450\"";
    assert!(server.get("/de/codes/450", "").body.contains(default));
    assert!(!answer.body.contains("style=\"") && !answer.body.contains("onclick"));
}

#[test]
fn two_that_are_compared_have_one_address_for_search_engines() {
    let server = Server::start();
    let canonical = "<link rel=\"canonical\" href=\"https://replies.test/de/compare/450-vs-502\">";
    for pair in ["450-vs-502", "502-vs-450"] {
        assert!(server.get(&format!("/de/compare/{pair}"), "").body.contains(canonical), "{pair}");
    }
    // Whoever asks for the second first is shown it first.
    assert!(server.get("/de/compare/502-vs-450", "").body.contains("<h1>502 "));
}

#[test]
fn what_says_when_to_come_back_is_told_among_the_evidence() {
    let server = Server::start();
    let form = b"text=450+4.2.0+Greylisted,+try+again+in+300+seconds";
    let answer = server.post("/de/explain", "application/x-www-form-urlencoded", form);
    assert!(answer.body.contains("„Greylisted“, „in 300 seconds“"), "{}", answer.body);
}

#[test]
fn sitemaps_and_assets_are_served() {
    let server = Server::start();
    assert!(server.get("/sitemap.xml", "").body.contains("https://replies.test/sitemap-de.xml"));
    assert!(server.get("/sitemap-de.xml", "").body.contains("https://replies.test/de/codes/450<"));
    assert!(server.get("/robots.txt", "").body.contains("Sitemap: https://replies.test/"));
    let page = server.get("/en/", "").body;
    let style = page.split("href=\"").find(|part| part.starts_with("/assets/style")).unwrap();
    let style = style.split('"').next().unwrap();
    let answer = server.get(style, "");
    assert_eq!(
        (answer.status, answer.field("content-type")),
        (200, Some("text/css; charset=utf-8"))
    );
}

#[test]
fn the_name_that_one_reader_asks_for_is_in_no_other_readers_page() {
    let server = Server::start_at(None);
    for host in ["gremlins.test", "replies.test", "gremlins.test"] {
        let canonical = format!("<link rel=\"canonical\" href=\"http://{host}/en/codes/450\">");
        assert!(server.get_from(host, "/en/codes/450", "").body.contains(&canonical), "{host}");
    }
}

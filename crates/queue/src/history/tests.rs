//! Stories written, torn, read back and pruned, in a folder of their own.
//! Time is an argument.

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn id(at: Timestamp) -> QueueId {
    QueueId::after(0, at)
}

fn event(name: &str) -> Map<String, Value> {
    Map::from_iter([("event".to_owned(), Value::from(name))])
}

fn names(folder: &Path, id: QueueId) -> Vec<String> {
    let lines = story(folder, id).unwrap();
    lines.iter().map(|line| line.event["event"].as_str().unwrap().to_owned()).collect()
}

fn start() -> Timestamp {
    Timestamp::from_secs(1_764_000_000)
}

#[test]
fn a_story_is_read_back_in_order_across_days_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, other) = (id(start()), id(start() + Duration::from_secs(1)));
    let stories = Stories::open(folder.path()).unwrap();
    stories.tell(&[(start(), mine, event("accepted"))]).unwrap();
    stories.tell(&[(start(), other, event("accepted"))]).unwrap();
    drop(stories);
    let stories = Stories::open(folder.path()).unwrap();
    stories.tell(&[(start() + DAY, mine, event("delivered"))]).unwrap();
    assert_eq!(names(folder.path(), mine), ["accepted", "delivered"]);
    assert_eq!(days(folder.path()).unwrap().len(), 2);
}

#[test]
fn torn_and_foreign_lines_cost_only_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let mine = id(start());
    Stories::open(folder.path()).unwrap().tell(&[(start(), mine, event("accepted"))]).unwrap();
    let path = &days(folder.path()).unwrap()[0];
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(format!("\0garbage\n[]\n{{\"at\":1,\"id\":\"{mine}\",\"ev").as_bytes()).unwrap();
    Stories::open(folder.path()).unwrap().tell(&[(start(), mine, event("attempt"))]).unwrap();
    assert_eq!(names(folder.path(), mine), ["accepted", "attempt"]);
}

#[test]
fn nothing_is_known_where_there_is_no_folder() {
    assert_eq!(story(Path::new("/nonexistent/history"), id(start())).unwrap(), []);
}

#[test]
fn a_story_is_kept_whole_until_its_end_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let stories = Stories::open(folder.path()).unwrap();
    let (long, short, live) =
        (id(start()), id(start() + Duration::from_secs(1)), id(start() + DAY));
    stories.tell(&[(start(), long, event("accepted"))]).unwrap();
    stories.tell(&[(start() + DAY, live, event("accepted"))]).unwrap();
    stories.tell(&[(start() + DAY * 2, short, event("delivered"))]).unwrap();
    stories.tell(&[(start() + DAY * 9, long, event("bounced"))]).unwrap();
    let now = start() + DAY * 12;
    // Day 0 tells of `long`, which ended three days ago; day 1 of `live`; day 2 is over.
    assert_eq!(stories.prune(now, DAY * 7, |id| id == live).unwrap(), 1);
    assert_eq!(names(folder.path(), long), ["accepted", "bounced"]);
    assert_eq!(names(folder.path(), short), [""; 0]);
    assert_eq!(stories.prune(now + DAY * 7, DAY * 7, |_| false).unwrap(), 3);
}

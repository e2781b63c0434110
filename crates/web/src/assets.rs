//! Style and script, carried in the binary. An address holds a checksum of the content, so
//! that a browser may keep it for good.

use std::sync::OnceLock;

use crate::kept::checksum;

/// One file.
pub(crate) struct Asset {
    /// Its address below `/assets/`.
    pub(crate) name: String,
    /// What it is.
    pub(crate) content_type: &'static str,
    /// Its content.
    pub(crate) content: &'static str,
}

/// All of them.
pub(crate) struct Assets {
    /// How it looks.
    pub(crate) style: Asset,
    /// Search as one types.
    pub(crate) script: Asset,
    /// The icon of the tab.
    pub(crate) icon: Asset,
}

/// The assets, named once.
pub(crate) fn assets() -> &'static Assets {
    static ASSETS: OnceLock<Assets> = OnceLock::new();
    ASSETS.get_or_init(|| Assets {
        style: asset(
            "style",
            "css",
            "text/css; charset=utf-8",
            include_str!("../assets/style.css"),
        ),
        script: asset(
            "search",
            "js",
            "text/javascript; charset=utf-8",
            include_str!("../assets/search.js"),
        ),
        icon: asset("icon", "svg", "image/svg+xml", include_str!("../assets/icon.svg")),
    })
}

impl Assets {
    /// Each of them.
    pub(crate) fn all(&self) -> [&Asset; 3] {
        [&self.style, &self.script, &self.icon]
    }

    /// The one of that name.
    pub(crate) fn named(&self, name: &str) -> Option<&Asset> {
        self.all().into_iter().find(|asset| asset.name == name)
    }
}

fn asset(stem: &str, end: &str, content_type: &'static str, content: &'static str) -> Asset {
    Asset {
        name: format!("{stem}-{:016x}.{end}", checksum(content.as_bytes())),
        content_type,
        content,
    }
}

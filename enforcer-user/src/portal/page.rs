//! The page: what is wrong with this device, and what to do.

use std::net::IpAddr;

use askama::Template;
use enforcer_protocol::judgement::{Level, Reason};
use jiff::{Timestamp, tz::TimeZone};

use crate::control::portal::{Access, PortalView};

/// How often the page of a host that is being asked about looks again, in seconds.
const REFRESH: u32 = 3;

/// What the page says of the organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Its name.
    pub organisation: Option<String>,
    /// Whom to ask.
    pub contact: Option<String>,
    /// Where more help is found.
    pub help_url: Option<String>,
}

/// What the template shows. Everything is escaped there.
#[derive(Template)]
#[template(path = "portal.html")]
struct Page<'a> {
    words: &'a Words,
    tone: Tone,
    title: &'a str,
    lead: &'a str,
    heading: &'a str,
    reasons: &'a [Reason],
    facts: Vec<(&'static str, String)>,
    again: bool,
    refresh: Option<u32>,
}

/// How the page looks at first sight. Colour never stands alone: the title says the same.
#[derive(Clone, Copy)]
enum Tone {
    Good,
    Waiting,
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Waiting => "waiting",
            Self::Bad => "bad",
        }
    }
}

/// The page for a host.
pub fn render(view: &PortalView, words: &Words) -> String {
    let (tone, title, lead) = story(view);
    let heading = if view.access == Access::Open {
        "What to mend soon"
    } else {
        "What to mend"
    };
    finish(&Page {
        words,
        tone,
        title,
        lead,
        heading,
        reasons: &view.reasons,
        facts: facts(view),
        again: view.access != Access::Asked,
        refresh: (view.access == Access::Asked).then_some(REFRESH),
    })
}

/// The page while the gateway does not answer.
pub fn render_unavailable(address: IpAddr, words: &Words) -> String {
    finish(&Page {
        words,
        tone: Tone::Waiting,
        title: "The gateway does not answer",
        lead: "It cannot say how this device stands at the moment. Please try again shortly.",
        heading: "",
        reasons: &[],
        facts: vec![("Address", address.to_string())],
        again: true,
        refresh: None,
    })
}

fn finish(page: &Page<'_>) -> String {
    page.render().unwrap_or_else(|error| {
        tracing::error!(%error, "the portal's page cannot be rendered");
        page.title.to_owned()
    })
}

fn story(view: &PortalView) -> (Tone, &'static str, &'static str) {
    let reasons = !view.reasons.is_empty();
    match view.access {
        Access::Open if reasons => (
            Tone::Good,
            "This device may use the network",
            "Some points of it should be mended before they become a reason to stop it.",
        ),
        Access::Open => (
            Tone::Good,
            "This device may use the network",
            "There is nothing to do.",
        ),
        Access::Stopped if reasons => (
            Tone::Bad,
            "This device is stopped",
            "It does not meet the security rules of this network. Until it does, it reaches only what helps to mend it.",
        ),
        Access::Stopped => (
            Tone::Bad,
            "This device is stopped",
            "Those who run this network have stopped it. Please ask them why.",
        ),
        Access::Asked => (
            Tone::Waiting,
            "This device is being checked",
            "That takes a moment. This page looks again by itself.",
        ),
        Access::Unknown => (
            Tone::Bad,
            "This device is not known",
            "Only devices that report their security settings may use this network, and none has come from this one. Install or start the reporting agent on it, or ask those who run the network.",
        ),
        Access::Lapsed => (
            Tone::Waiting,
            "The last check of this device has run out",
            "The server that checks devices cannot be reached, so its last answer no longer counts. That is not the fault of this device; it is checked again as soon as the server is back.",
        ),
    }
}

fn facts(view: &PortalView) -> Vec<(&'static str, String)> {
    let since = match view.access {
        Access::Stopped | Access::Unknown | Access::Lapsed => "Stopped since",
        Access::Open | Access::Asked => "Since",
    };
    let optional = [
        ("Device", view.endpoint.clone()),
        ("Level", view.level.map(level)),
        (since, view.since.map(moment)),
        ("Last checked", view.checked_at.map(moment)),
    ];
    let mut facts = vec![("Address", view.address.to_string())];
    facts.extend(
        optional
            .into_iter()
            .filter_map(|(name, fact)| Some((name, fact?))),
    );
    facts
}

fn level(level: Level) -> String {
    let word = match level {
        Level::Safe => "safe",
        Level::Caution => "caution",
        Level::Warning => "warning",
        Level::Danger => "danger",
        Level::Unknown => "unknown",
    };
    word.to_owned()
}

fn moment(timestamp: Timestamp) -> String {
    let zoned = timestamp.to_zoned(TimeZone::system());
    zoned.strftime("%-d %B %Y, %H:%M:%S %Z").to_string()
}

/// A link that a browser may follow: nothing but web pages.
fn web(link: Option<&String>) -> Option<&str> {
    let link = link?.as_str();
    let is_web = link.starts_with("https://") || link.starts_with("http://");
    is_web.then_some(link)
}

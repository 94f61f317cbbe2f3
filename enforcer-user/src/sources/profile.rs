//! What is known of a source before it has said anything.

use std::{fmt, sync::Arc, time::Duration};

use enforcer_common::host::SourceId;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::file_id;
use crate::config::{Config, FileSource, Share};

/// What kind of source decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Management servers: one that is followed, and perhaps others that stand by.
    #[default]
    Server,
    /// A list in a file.
    File,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::File => "file",
        })
    }
}

/// What the configuration says of a source.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its number.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How long its decisions hold when it is silent; `None`: as long as it can be heard.
    pub lease: Option<Duration>,
    /// How much it counts against others.
    pub priority: u8,
    /// How much it may take back at once.
    pub max_shrink: Share,
    /// How it is told to say everything again.
    pub again: Arc<Notify>,
}

impl Profile {
    /// Those of every source of a gateway, apart from the operator.
    pub fn of(config: &Config) -> Vec<Self> {
        let management = &config.management;
        let server = Self {
            id: SourceId::MANAGEMENT,
            name: "management".to_owned(),
            kind: Kind::Server,
            lease: Some(management.lease),
            priority: management.priority,
            max_shrink: management.max_shrink,
            again: Arc::default(),
        };
        let files = config.sources.files.iter().enumerate();
        let files = files.map(|(place, file)| Self::of_file(place, file));
        std::iter::once(server).chain(files).collect()
    }

    fn of_file(place: usize, file: &FileSource) -> Self {
        Self {
            id: file_id(place),
            name: file.name.clone(),
            kind: Kind::File,
            lease: file.lease,
            priority: file.priority,
            max_shrink: file.max_shrink,
            again: Arc::default(),
        }
    }
}

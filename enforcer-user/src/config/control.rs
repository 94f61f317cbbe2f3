//! Who may use the gateway's control sockets besides root.

use serde::{Deserialize, Serialize};

/// `[control]`: groups whose members may ask and order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Control {
    /// The group whose members may ask and order everything.
    pub group: Option<String>,
    /// The group whose members may ask, and change nothing.
    pub readers: Option<String>,
}

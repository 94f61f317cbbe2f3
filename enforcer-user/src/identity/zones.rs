//! Zones: names in the configuration and on the wire, numbers in the tables.

use std::sync::Arc;

/// The names of the zones; the place in the list is the number. Cheap to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zones(Arc<[String]>);

impl Zones {
    /// Zones in the order of their numbers.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().collect())
    }

    /// The number of a zone.
    pub fn number(&self, name: &str) -> Option<u32> {
        let place = self.0.iter().position(|zone| zone == name)?;
        u32::try_from(place).ok()
    }

    /// The name of a zone.
    pub fn name(&self, number: u32) -> Option<&str> {
        let place = usize::try_from(number).ok()?;
        self.0.get(place).map(String::as_str)
    }
}

//! Interfaces that are made anew under their names.

use super::{
    Attachment, Datapath, DatapathError,
    attach::Attached,
    ingress,
    pins::Pins,
    tags,
    tc::{self, Way},
};
use crate::links::Link;

/// What became of an interface.
#[derive(Debug)]
pub struct Followed {
    /// Its name.
    pub interface: String,
    /// The programs on it, or why there are none.
    pub outcome: Result<Attachment, DatapathError>,
}

impl Datapath {
    /// Puts the programs on interfaces that have the name of one under enforcement, and are others by now. The
    /// programs are loaded already, so that this takes milliseconds.
    pub fn follow(&mut self, links: &[Link]) -> Vec<Followed> {
        let mut followed = Vec::new();
        for place in 0..self.attached.len() {
            let attachment = &self.attached[place].attachment;
            let (interface, index) = (attachment.interface.clone(), attachment.index);
            let row = attachment.row;
            let Some(link) = links.iter().find(|link| link.name == interface) else {
                continue;
            };
            if link.index == index {
                continue;
            }
            let outcome = self.attached[place].move_to(&self.pins, link);
            let outcome = outcome.or_else(|error| {
                // Under the same name there is something else now, which takes the programs at another place.
                tracing::debug!(interface, "{error}");
                let plan = self.attached[place].plan.clone();
                let fresh = self.attach_at(row, &plan)?;
                let attachment = fresh.attachment.clone();
                std::mem::replace(&mut self.attached[place], fresh).keep();
                Ok(attachment)
            });
            followed.push(Followed { interface, outcome });
        }
        followed
    }
}

impl Attached {
    /// Puts the programs that are loaded on another interface.
    fn move_to(&mut self, pins: &Pins, link: &Link) -> Result<Attachment, DatapathError> {
        if let Some(program) = ingress::stranger(pins, link) {
            return Err(DatapathError::Occupied {
                interface: link.name.clone(),
                program: Some(program),
            });
        }
        let tags = tags::keep(link, self.plan.ingress);
        let ingress = ingress::again(&mut self.object, pins, link, self.place)?;
        let egress = match tc::again(&mut self.object, pins, link, Way::Egress) {
            Ok(egress) => egress,
            Err(error) => {
                if let Err(error) = ingress.remove() {
                    tracing::error!(interface = link.name, "cannot take off: {error}");
                }
                return Err(error);
            }
        };
        std::mem::replace(&mut self.ingress, ingress).keep();
        std::mem::replace(&mut self.egress, egress).keep();
        self.keeps_tags |= tags.changed;
        self.attachment.index = link.index;
        self.attachment.egress = (&self.egress).into();
        Ok(self.attachment.clone())
    }
}

//! Interfaces that change while others go on.

use super::{Datapath, DatapathError, Plan, attach::remove_pin, ingress, tc::Way};

impl Datapath {
    /// What is wanted on an interface, as it was told last.
    pub fn plan(&self, interface: &str) -> Option<&Plan> {
        let mut attached = self.attached.iter();
        let found = attached.find(|one| one.attachment.interface == interface);
        found.map(|one| &one.plan)
    }

    /// Lets the programs on an interface go by another plan, without touching them: for what its row says.
    pub fn amend(&mut self, plan: &Plan) -> Result<(), DatapathError> {
        let mut attached = self.attached.iter_mut();
        let found = attached.find(|one| one.attachment.interface == plan.interface);
        let found = found.ok_or_else(|| DatapathError::NoInterface(plan.interface.clone()))?;
        found.plan = plan.clone();
        let row = found.attachment.row;
        self.set_interface(row, plan)
    }

    /// Takes the programs off one interface: what goes through it is no longer judged.
    pub fn detach_from(&mut self, interface: &str) -> Result<(), DatapathError> {
        let mut attached = self.attached.iter();
        let place = attached.position(|one| one.attachment.interface == interface);
        let Some(place) = place else {
            return Ok(());
        };
        self.attached.remove(place).remove()?;
        for hook in [ingress::PIN, Way::Ingress.pin(), Way::Egress.pin()] {
            let steps = self.pins.steps(interface, hook);
            if steps.exists() {
                remove_pin(&steps)?;
            }
        }
        Ok(())
    }
}

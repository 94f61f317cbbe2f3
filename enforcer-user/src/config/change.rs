//! What of a configuration can be changed while the gateway runs.

use super::{Config, Interface};

/// The keys that differ and can only be changed by a restart.
pub fn need_restart(old: &Config, new: &Config) -> Vec<String> {
    // Every key is named, so that a new one is decided about.
    let Config {
        mode: _,
        state_dir,
        run_dir,
        pin_dir,
        on_stop: _,
        operators: _,
        zones: _,
        host_capacity,
        default_scope: _,
        interfaces,
        uplinks: _,
        scopes: _,
        unknown: _,
        fail: _,
        startup,
        lease: _,
        limits: _,
        roles: _,
        services: _,
        management,
        nat,
        sources,
        alerts: _,
        portal: _,
        metrics: _,
        user,
        control,
        file: _,
        places: _,
    } = old;
    let fixed = [
        ("state_dir", *state_dir != new.state_dir),
        ("run_dir", *run_dir != new.run_dir),
        ("pin_dir", *pin_dir != new.pin_dir),
        ("host_capacity", *host_capacity != new.host_capacity),
        ("startup", *startup != new.startup),
        ("management", *management != new.management),
        ("nat", *nat != new.nat),
        // Rows of hosts name sources by their numbers.
        ("source", *sources != new.sources),
        ("user", *user != new.user),
        ("control", *control != new.control),
        // Rows of hosts name zones by their numbers.
        ("zones", old.zone_names() != new.zone_names()),
    ];
    let fixed = fixed.into_iter().filter(|(_, differs)| *differs);
    let mut keys: Vec<_> = fixed.map(|(key, _)| key.to_owned()).collect();
    for (place, interface) in new.interfaces.iter().enumerate() {
        let before = interfaces.iter().find(|one| one.name == interface.name);
        let differing = before.map_or(Vec::new(), |before| differing(before, interface));
        keys.extend(
            differing
                .into_iter()
                .map(|key| format!("interface[{place}].{key}")),
        );
    }
    keys
}

/// What cannot be changed of an interface that is under enforcement.
fn differing(before: &Interface, after: &Interface) -> Vec<&'static str> {
    let Interface {
        name: _,
        zone,
        hook,
        untagged,
        vlans,
        routers: _,
        dhcp_servers: _,
        bind_mac,
    } = before;
    let fixed = [
        ("zone", *zone != after.zone),
        ("hook", *hook != after.hook),
        ("untagged", *untagged != after.untagged),
        ("vlan", *vlans != after.vlans),
        ("bind_mac", *bind_mac != after.bind_mac),
    ];
    let differs = fixed.into_iter().filter(|(_, differs)| *differs);
    differs.map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse("e.toml".as_ref(), text).expect("a configuration")
    }

    #[test]
    fn what_needs_a_restart_is_named() {
        let old = config("[[interface]]\nname = 'a0'\n[[interface]]\nname = 'b0'");
        let new = config(
            "host_capacity = 7
             [[interface]]
             name = 'b0'
             hook = 'tc'
             routers = true
             [[source.file]]
             name = 'printers'
             path = '/p.csv'
             [management]
             lease = '7s'
             [management.embedded]",
        );
        let expected = ["host_capacity", "management", "source", "interface[0].hook"];
        assert_eq!(need_restart(&old, &new), expected);
        assert!(need_restart(&old, &old).is_empty());
        let new = config(
            "startup = 'last-known'
             [[interface]]
             name = 'a0'
             [[interface]]
             name = 'b0'
             [nat]
             shared_addresses = 'deny'",
        );
        assert_eq!(need_restart(&old, &new), ["startup", "nat"]);
    }

    #[test]
    fn most_can_be_changed_while_it_runs() {
        let old = config("[[interface]]\nname = 'a0'");
        let new = config(
            "mode = 'enforce'
             on_stop = 'detach'
             operators = ['192.0.2.1']
             uplinks = ['wan0']
             default_scope = 'outside'
             [[interface]]
             name = 'a0'
             dhcp_servers = true
             [[interface]]
             name = 'c0'
             [role.guests]
             default = 'allow'
             [fail]
             no_answer = 'open'
             [limits]
             replies_per_second = 1
             [[alert]]
             name = 'a'
             kind = 'command'
             command = ['/bin/true']
             [portal]
             port = 81",
        );
        assert!(need_restart(&old, &new).is_empty());
        let new = config("[[interface]]\nname = 'a0'\n[[interface]]\nname = 'c0'\nzone = 'other'");
        assert_eq!(need_restart(&old, &new), ["zones"]);
    }
}

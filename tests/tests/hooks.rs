//! Where the programs go: what is chosen, what is switched, and who is there already.

use std::{
    net::UdpSocket,
    process::{self, Command},
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use enforcer::datapath::{
    Attachment, Datapath, EgressHook, IngressChoice, IngressHook, Options, Plan, VlanPlan,
};
use enforcer_tests::{
    bpffs::BpfFs,
    gate,
    namespace::{Namespace, output},
    wait,
};

/// A host at one end of a cable, and a gateway at the other, whose interface is `inside`.
struct Cable {
    gateway: Namespace,
    host: Namespace,
}

impl Cable {
    fn new() -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = |place| format!("enforcer-hooks-{}-{number}-{place}", process::id());
        let (gateway, host) = (
            Namespace::new(name("gateway"))?,
            Namespace::new(name("host"))?,
        );
        let peer = format!("type veth peer name outside netns {}", host.name());
        ip(
            &gateway,
            &format!("link add inside address 02:00:00:00:00:01 {peer}"),
        )?;
        ip(&gateway, "address add 192.0.2.1/24 dev inside")?;
        ip(&gateway, "link set inside up")?;
        ip(&host, "link set outside up")?;
        ip(&host, "address add 192.0.2.11/24 dev outside")?;
        ip(
            &host,
            "neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev outside",
        )?;
        Ok(Self { gateway, host })
    }

    /// Opens a datapath in the gateway, and attaches it to `inside`.
    fn attach(&self, bpffs: &BpfFs, plan: &Plan) -> Result<Datapath> {
        self.gateway.enter(|| {
            let mut datapath = open(bpffs)?;
            datapath.attach(plan)?;
            Ok(datapath)
        })
    }

    /// The same, when it is to be refused; what is said then.
    fn refused(&self, bpffs: &BpfFs, plan: &Plan) -> Result<String> {
        self.gateway.enter(|| {
            let mut datapath = open(bpffs)?;
            let refused = datapath.attach(plan).map(drop);
            let error = refused.expect_err("a refusal");
            datapath.undo()?;
            Ok(error.to_string())
        })
    }
}

fn ip(namespace: &Namespace, arguments: &str) -> Result<String> {
    output(namespace.command("ip").args(arguments.split(' ')))
}

fn open(bpffs: &BpfFs) -> Result<Datapath> {
    let mut datapath = Datapath::open(Options {
        pin_dir: bpffs.pin_dir(),
        host_capacity: 1024,
    })?;
    datapath.set_rulings(&gate::rulings())?;
    Ok(datapath)
}

fn plan(ingress: IngressChoice) -> Plan {
    Plan {
        interface: "inside".into(),
        ingress,
        ..Plan::default()
    }
}

fn attachment(datapath: &Datapath) -> &Attachment {
    datapath.attachments().next().expect("an attachment")
}

#[test]
fn the_driver_comes_first_where_it_can() -> Result<()> {
    let (cable, bpffs) = (Cable::new()?, BpfFs::new()?);
    let datapath = cable.attach(&bpffs, &plan(IngressChoice::Auto))?;
    assert_eq!(attachment(&datapath).ingress, IngressHook::Native);
    assert_eq!(attachment(&datapath).reason, "its driver takes XDP");
    datapath.detach()?;

    // Longer packets only in pieces.
    ip(&cable.host, "link set outside mtu 9000")?;
    ip(&cable.gateway, "link set inside mtu 9000")?;
    let datapath = cable.attach(&bpffs, &plan(IngressChoice::Auto))?;
    assert_eq!(attachment(&datapath).ingress, IngressHook::Native);
    let reason = &attachment(&datapath).reason;
    assert!(reason.contains("an MTU of 9000"), "{reason}");
    let shown = ip(&cable.gateway, "-details link show inside")?;
    assert!(shown.contains("name enforcer_xdp_fr"), "{shown}");
    datapath.keep();
    // And stays so when another process takes over.
    let datapath = cable.attach(&bpffs, &plan(IngressChoice::Native))?;
    assert!(attachment(&datapath).adopted);
    datapath.detach()?;
    Ok(())
}

#[test]
fn traffic_control_is_what_is_left() -> Result<()> {
    let (cable, bpffs) = (Cable::new()?, BpfFs::new()?);
    ip(&cable.gateway, "link add bridge type bridge")?;
    let on_bridge = |ingress| Plan {
        interface: "bridge".into(),
        ..plan(ingress)
    };
    let datapath = cable.attach(&bpffs, &on_bridge(IngressChoice::Auto))?;
    assert_eq!(attachment(&datapath).ingress, IngressHook::Tc);
    let reason = &attachment(&datapath).reason;
    assert!(
        reason.contains("its driver takes no XDP program"),
        "{reason}"
    );
    datapath.detach()?;
    let said = cable.refused(&bpffs, &on_bridge(IngressChoice::Native))?;
    for word in [
        "bridge: its driver takes no XDP",
        "hook = \"tc\"",
        "ethtool -K bridge lro off",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    // A veth leaves VLAN tags beside the packet.
    let vlan = VlanPlan {
        outer: 10,
        inner: 0,
        zone: 0,
    };
    let tagged = Plan {
        vlans: vec![vlan],
        ..plan(IngressChoice::Auto)
    };
    let datapath = cable.attach(&bpffs, &tagged)?;
    assert_eq!(attachment(&datapath).ingress, IngressHook::Tc);
    assert!(attachment(&datapath).reason.contains("VLAN tags"));
    datapath.detach()?;
    Ok(())
}

/// Datagrams of an unknown host to the gateway come through as soon as nothing judges.
#[test]
fn the_hook_is_switched_without_a_gap() -> Result<()> {
    use IngressChoice::{Generic, Native, Tc};
    let (cable, bpffs) = (Cable::new()?, BpfFs::new()?);
    let receiver = cable.gateway.enter(|| UdpSocket::bind("192.0.2.1:4000"))?;
    receiver.set_nonblocking(true)?;
    let has_come = || receiver.recv(&mut [0; 64]).is_ok();
    cable.attach(&bpffs, &plan(Native))?.keep();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let sender = scope.spawn(|| cable.host.enter(|| send_until(&stop)));
        let switched = [Tc, Generic, Native, Generic, Tc].map(|choice| {
            let datapath = cable.attach(&bpffs, &plan(choice))?;
            let attachment = attachment(&datapath).clone();
            let alone = judges_alone(&datapath);
            datapath.keep();
            anyhow::Ok((choice, attachment, alone?))
        });
        stop.store(true, Ordering::Relaxed);
        assert!(sender.join().expect("no panic")? > 100);
        for one in switched {
            let (choice, attachment, hook) = one?;
            assert!(attachment.adopted, "{choice:?}");
            let expected = match choice {
                Tc => (IngressHook::Tc, "tc_ingress"),
                Generic => (IngressHook::Generic, "xdp"),
                _ => (IngressHook::Native, "xdp"),
            };
            assert_eq!((attachment.ingress, hook), expected, "{choice:?}");
        }
        anyhow::Ok(())
    })?;
    assert!(!has_come(), "unjudged");
    cable.attach(&bpffs, &plan(Native))?.detach()?;
    stop.store(false, Ordering::Relaxed);
    thread::scope(|scope| {
        scope.spawn(|| cable.host.enter(|| send_until(&stop)));
        wait::until_so("without programs they come through", has_come);
        stop.store(true, Ordering::Relaxed);
    });
    Ok(())
}

/// Sends datagrams, each when the one before has had no answer for a moment; how many.
fn send_until(stop: &AtomicBool) -> Result<u64> {
    let socket = UdpSocket::bind("192.0.2.11:0")?;
    socket.connect("192.0.2.1:4000")?;
    socket.set_read_timeout(Some(Duration::from_micros(200)))?;
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        sent += u64::from(socket.send(b"anybody there?").is_ok());
        let _silence = socket.recv(&mut [0; 64]);
    }
    Ok(sent)
}

/// The hook at which packets are judged on their way in, while they come: the only one.
fn judges_alone(datapath: &Datapath) -> Result<&'static str> {
    let counts = || -> Result<[u64; 2]> {
        let samples = datapath.counters()?;
        Ok(["xdp", "tc_ingress"].map(|hook| {
            let of_hook = samples.iter().filter(|sample| sample.hook == hook);
            of_hook.map(|sample| sample.packets).sum()
        }))
    };
    // What was under way when the hook was switched has been counted once packets come at the new one.
    let mut before = counts()?;
    let risen = wait::until("packets at one hook only", || {
        let now = counts().expect("counters");
        let risen = [now[0] > before[0], now[1] > before[1]];
        before = now;
        (risen[0] != risen[1]).then_some(risen)
    });
    Ok(if risen[0] { "xdp" } else { "tc_ingress" })
}

#[test]
fn what_passes_goes_on_to_the_filters_of_others() -> Result<()> {
    let (cable, bpffs) = (Cable::new()?, BpfFs::new()?);
    let datapath = cable.attach(&bpffs, &plan(IngressChoice::Tc))?;
    let tc = |line: &str| output(cable.gateway.command("tc").args(line.split(' ')));
    tc("qdisc replace dev inside clsact")?;
    tc(
        "filter add dev inside ingress protocol arp u32 match u32 0 0 action mirred egress mirror dev lo",
    )?;
    cable.host.enter(|| -> Result<()> {
        let socket = UdpSocket::bind("192.0.2.11:0")?;
        wait::until_so("a question of the neighbour reached them", || {
            let _sent = socket.send_to(b"anybody there?", "192.0.2.99:4000");
            let shown = tc("-statistics filter show dev inside ingress").unwrap_or_default();
            shown
                .lines()
                .any(|line| line.contains("Sent") && !line.contains("Sent 0 bytes"))
        });
        Ok(())
    })?;
    datapath.detach().map_err(Into::into)
}

#[test]
fn without_its_steps_a_program_drops() -> Result<()> {
    let (cable, bpffs) = (Cable::new()?, BpfFs::new()?);
    let datapath = cable.attach(&bpffs, &plan(IngressChoice::Tc))?;
    ip(&cable.gateway, "address add 192.0.2.2/24 dev inside")?;
    // The gateway's own questions would tell the host what is to be learnt by asking.
    let shown = ip(&cable.host, "link show outside")?;
    let mac = shown
        .split_whitespace()
        .skip_while(|&word| word != "link/ether")
        .nth(1);
    let mac = mac.context("the host has no MAC address")?;
    ip(
        &cable.gateway,
        &format!("neigh add 192.0.2.11 lladdr {mac} dev inside"),
    )?;
    let asked = |what: &str, word: &str| -> Result<()> {
        cable.host.enter(|| {
            UdpSocket::bind("192.0.2.11:0")?.send_to(b"anybody there?", "192.0.2.2:4000")
        })?;
        wait::until_so(what, || {
            let known = ip(&cable.host, "neigh show 192.0.2.2 dev outside");
            known.is_ok_and(|known| known.contains(word))
        });
        Ok(())
    };
    asked("the gateway answers who it is", "lladdr")?;
    let pins = output(
        Command::new("find")
            .arg(bpffs.pin_dir())
            .args(["-name", "*steps*"]),
    )?;
    let pin = pins.lines().find(|pin| pin.contains("ingress"));
    let pin = pin.with_context(|| format!("no steps of the hook on ingress: {pins}"))?;
    for step in 0..8 {
        let mut bpftool = Command::new("bpftool");
        bpftool.args(["map", "delete", "pinned", pin, "key"]);
        output(bpftool.args([&step.to_string(), "0", "0", "0"]))?;
    }
    ip(&cable.host, "neigh del 192.0.2.2 dev outside")?;
    asked("nobody answers", "FAILED")?;
    datapath.detach().map_err(Into::into)
}

#[test]
fn programs_of_others_are_named_and_left_alone() -> Result<()> {
    let (cable, bpffs, others) = (Cable::new()?, BpfFs::new()?, BpfFs::new()?);
    let other = cable.attach(&others, &plan(IngressChoice::Native))?;
    let shown = ip(&cable.gateway, "-details link show inside")?;
    let said = cable.refused(&bpffs, &plan(IngressChoice::Auto))?;
    let id = shown
        .split("prog/xdp id ")
        .nth(1)
        .and_then(|text| text.split(' ').next());
    let id = id.expect("a program");
    assert!(
        said.contains(&format!("(program {id}, `enforcer_xdp`)")),
        "{said}"
    );
    // Where traffic control is asked for, only what is there counts.
    // A filter of `clsact` has no owner but its name, by which it is taken for one of an earlier process.
    if attachment(&other).egress == EgressHook::Tcx {
        let said = cable.refused(&bpffs, &plan(IngressChoice::Tc))?;
        assert!(said.contains("`enforcer_tc_egr"), "{said}");
    }
    assert_eq!(ip(&cable.gateway, "-details link show inside")?, shown);
    other.detach()?;
    let mut tc = cable.gateway.command("tc");
    output(tc.args(["qdisc", "replace", "dev", "inside", "clsact"]))?;
    let mut tc = cable.gateway.command("tc");
    output(
        tc.args("filter add dev inside ingress pref 7 protocol ip u32 match u32 0 0".split(' ')),
    )?;
    let said = cable.refused(&bpffs, &plan(IngressChoice::Tc))?;
    assert!(said.contains("a filter `u32` with preference 7"), "{said}");
    cable.attach(&bpffs, &plan(IngressChoice::Auto))?.detach()?;
    let left = output(Command::new("ip").args([
        "netns",
        "exec",
        cable.gateway.name(),
        "tc",
        "filter",
        "show",
        "dev",
        "inside",
        "ingress",
    ]))?;
    assert!(left.contains("u32"), "{left}");
    Ok(())
}

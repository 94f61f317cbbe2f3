//! `enforcer allow`, `enforcer deny` and `enforcer release`.

use std::{net::IpAddr, time::Duration};

use anyhow::Result;
use clap::{Args, builder::NonEmptyStringValueParser};

use super::{
    gateway::{Gateway, mismatch},
    output,
    table::{moment, parse_duration, plain},
};
use crate::control::{
    Request, Response,
    host::{ExceptionView, Release},
    request::Granted,
};

/// Which host is made an exception of.
#[derive(Debug, Args)]
pub struct ExceptCommand {
    /// The host's address.
    address: IpAddr,
    /// For how long, as in 30m, 1h or 2d; until it is released when left out.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    duration: Option<Duration>,
    /// Why, for those who come after.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    reason: String,
    /// Its zone, where the address is in several.
    #[arg(long)]
    zone: Option<String>,
}

impl ExceptCommand {
    /// Gives the host this role.
    pub fn run(self, role: Granted, gateway: &Gateway) -> Result<()> {
        let request = Request::Except {
            address: self.address,
            zone: self.zone,
            role,
            seconds: self.duration.map(|duration| duration.as_secs()),
            reason: self.reason,
        };
        match gateway.ask(&request)? {
            Response::Excepted(exception) => output::print(gateway.output, &exception, made),
            other => Err(mismatch(&other)),
        }
    }
}

/// Whose exception ends.
#[derive(Debug, Args)]
pub struct ReleaseCommand {
    /// The host's address.
    address: IpAddr,
    /// Why, for those who come after.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    reason: String,
    /// Its zone, where the address is in several.
    #[arg(long)]
    zone: Option<String>,
}

impl ReleaseCommand {
    /// Ends the exception of the host.
    pub fn run(self, gateway: &Gateway) -> Result<()> {
        let request = Request::Release {
            address: self.address,
            zone: self.zone,
            reason: self.reason,
        };
        match gateway.ask(&request)? {
            Response::Released(release) => output::print(gateway.output, &release, released),
            other => Err(mismatch(&other)),
        }
    }
}

fn made(exception: &ExceptionView) -> String {
    let ExceptionView {
        address,
        zone,
        role,
        ..
    } = exception;
    let end = match exception.until {
        Some(until) => format!("until {}", moment(until)),
        None => format!("until `enforcer release {address}`"),
    };
    format!("{address} in zone {zone} is {role} {end}, whatever the sources say.")
}

fn released(release: &Release) -> String {
    let ExceptionView {
        address,
        zone,
        reason,
        by,
        ..
    } = &release.exception;
    format!(
        "The exception of {} for {address} in zone {zone} ({}) is over; its role is {} now.",
        plain(by),
        plain(reason),
        release.role
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        command: ExceptCommand,
    }

    #[test]
    fn a_reason_is_required_and_not_empty() {
        assert!(Line::try_parse_from(["allow", "10.0.0.5"]).is_err());
        assert!(Line::try_parse_from(["allow", "10.0.0.5", "--reason", ""]).is_err());
        let line =
            Line::try_parse_from(["allow", "10.0.0.5", "--for", "1h", "--reason", "new disk"]);
        let duration = line.expect("a good line").command.duration;
        assert_eq!(duration, Some(Duration::from_hours(1)));
    }

    #[test]
    fn the_end_of_an_exception_is_said() {
        let mut exception = ExceptionView {
            address: "10.0.0.5".parse().expect("an address"),
            zone: "lan".to_owned(),
            role: Granted::Denied,
            until: None,
            reason: "scanning".to_owned(),
            by: "root".to_owned(),
            made_at: jiff::Timestamp::UNIX_EPOCH,
        };
        assert!(made(&exception).contains("until `enforcer release 10.0.0.5`"));
        exception.until = Some(jiff::Timestamp::UNIX_EPOCH);
        assert!(made(&exception).contains("until 1970"));
    }
}

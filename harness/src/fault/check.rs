//! Checks a plan; an error names the path and how to mend it.

use std::collections::BTreeSet;

use super::{
    Act, Fault, PLAN_VERSION, Plan, PlanError, Scripted, Span, User, When,
    kind::{Befalls, is_one_way},
};

impl Plan {
    /// Checks a plan that was read from a file.
    ///
    /// # Errors
    /// Returns [`PlanError`], which names the offending field by its path.
    pub fn check(&self) -> Result<(), PlanError> {
        if self.v != PLAN_VERSION {
            return Err(PlanError::Version(self.v));
        }
        self.check_fields().map_err(PlanError::Field)
    }

    fn check_fields(&self) -> Result<(), String> {
        self.topology.check()?;
        let known = |host: &str| self.topology.host(host).is_some();
        if let Some(service) = &self.signaling {
            service.check(known).map_err(|e| format!("signaling.{e}"))?;
        }
        for (i, server) in self.ice_servers.iter().enumerate() {
            if !known(&server.host) {
                return Err(format!(
                    "ice_servers[{i}].host: there is no host '{}'",
                    server.host
                ));
            }
        }
        for (i, slow) in self.slow_steps.iter().enumerate() {
            if slow.host != "*" && !known(&slow.host) {
                return Err(format!("slow_steps[{i}].host: there is no host '{}'", slow.host));
            }
            slow.by.check().map_err(|e| format!("slow_steps[{i}].by: {e}"))?;
        }
        User::check(&self.users, &self.topology)?;
        self.check_script(&known)?;
        faults(self)?;
        self.order.as_ref().map_or(Ok(()), |order| order.check(known))?;
        if self.talk_every_ms == Some(0) {
            return Err("talk_every_ms: 0 is no interval: 1 at least, or leave it out".into());
        }
        if self.horizon_ms < self.heal_at_ms + self.budget_ms {
            return Err("horizon_ms: ends before heal_at_ms + budget_ms".into());
        }
        Ok(())
    }

    fn check_script(&self, known: &impl Fn(&str) -> bool) -> Result<(), String> {
        for (i, Scripted { host, when, act }) in self.script.iter().enumerate() {
            if !known(host) {
                return Err(format!("script[{i}].host: there is no host '{host}'"));
            }
            match when {
                When::Free { .. } if self.order.is_none() => {
                    return Err(format!("script[{i}].when.free: the plan has no order"));
                }
                When::Reached { .. } | When::Over { .. } if act.call().is_none() => {
                    return Err(format!(
                        "script[{i}].when: an act that is about no call cannot wait for one"
                    ));
                }
                _ => {}
            }
            match act {
                Act::Dial { to, .. } if !known(to) && self.devices_of(to).is_none() => {
                    return Err(format!("script[{i}].act.dial.to: there is no host '{to}'"));
                }
                Act::DialGroup { to, .. } => {
                    if let Some(unknown) = to.iter().find(|to| !known(to)) {
                        return Err(format!(
                            "script[{i}].act.dial-group.to: there is no host '{unknown}'"
                        ));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds `fault` with the next number, unless the check fails.
    pub fn inject_if_it_fits(&mut self, fault: Fault) {
        if one(&fault, &self.faults, self).is_ok() {
            self.inject(fault);
        }
    }

    /// Removes every fault whose target does not exist.
    pub fn drop_stray_faults(&mut self) {
        let mut faults = std::mem::take(&mut self.faults);
        faults.retain(|fault| befalls_something(fault, self));
        self.faults = faults;
    }
}

/// Checks the faults of `plan`.
///
/// # Errors
/// Returns the path of the offending field and how to mend it.
fn faults(plan: &Plan) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    for (i, fault) in plan.faults.iter().enumerate() {
        if fault.id.0 == 0 || !ids.insert(fault.id) {
            let free = plan.next_fault_id();
            return Err(format!(
                "faults[{i}].id: {} is zero or taken; {free} is free",
                fault.id
            ));
        }
        one(fault, &plan.faults[..i], plan).map_err(|e| format!("faults[{i}].{e}"))?;
    }
    Ok(())
}

/// Checks `fault`, which comes after `before` in `plan`.
fn one(fault: &Fault, before: &[Fault], plan: &Plan) -> Result<(), String> {
    target(fault, plan)?;
    span(fault)?;
    fault.kind.behaviour().check(fault, before, plan)
}

/// Reports whether the target of `fault` exists.
fn befalls_something(fault: &Fault, plan: &Plan) -> bool {
    let there = fault.spec().befalls.all(plan);
    there.iter().any(|t| t.is_same_as(&fault.target))
}

fn target(fault: &Fault, plan: &Plan) -> Result<(), String> {
    let (name, befalls) = (fault.spec().name, fault.spec().befalls);
    let there = befalls.all(plan);
    if there.is_empty() {
        return Err(format!(
            "kind: {name} cannot hit this world: it befalls {}, and there is none",
            befalls.describe()
        ));
    }
    if !befalls_something(fault, plan) {
        let names: Vec<&str> = there.iter().map(|t| t.name()).collect();
        return Err(format!(
            "target: {name} befalls {}, as {}: here {}",
            befalls.describe(),
            befalls.schema(),
            names.join(", ")
        ));
    }
    if befalls == Befalls::LinkDirection && !is_one_way(&fault.target) {
        return Err(format!(
            "target.link.directions: {name} befalls one direction: up or down"
        ));
    }
    Ok(())
}

fn span(fault: &Fault) -> Result<(), String> {
    let name = fault.spec().name;
    match (fault.spec().span, fault.until_ms) {
        (Span::Moment | Span::ForGood, Some(_)) => Err(format!("until_ms: {name} has no end: leave it out")),
        (_, Some(until)) if until <= fault.from_ms => Err(format!("until_ms: {until} is not after from_ms")),
        _ => Ok(()),
    }
}

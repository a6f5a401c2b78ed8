//! An explanation of a failure, as text.

use sleet::{
    explain::{Explanation, Role, Without},
    scenario::Scenario,
};

use crate::printable::printable;

/// Describes which elements of the plan decide the failure, and how they lead to it.
pub fn text(scenario: &Scenario, explanation: &Explanation) -> String {
    let meaning = scenario
        .oracles
        .iter()
        .find(|o| o.id == explanation.oracle)
        .map_or("", |o| o.meaning);
    let mut out = format!(
        "{}@{}\n{}\n\nbroken:   {} {meaning}\n\n",
        explanation.scenario, explanation.seed, scenario.summary, explanation.oracle
    );
    out.push_str("It takes, all together, and nothing else of the plan:\n");
    let widest = explanation
        .roles
        .iter()
        .map(|r| r.element.description.chars().count())
        .max();
    for role in &explanation.roles {
        let width = widest.unwrap_or(0);
        out.push_str(&format!(
            "  {:<width$}  {}\n",
            role.element.description,
            without(role)
        ));
    }
    if !explanation.is_minimal {
        out.push_str("  (the budget ended first: some of it may not be needed)\n");
    }
    out.push_str(if explanation.understood {
        "\nHow it came about:\n"
    } else {
        "\nNo rule knows how it came about; what happened last:\n"
    });
    for link in &explanation.chain {
        out.push_str(&format!(
            "  {:>8}  {}\n",
            link.at.to_string(),
            printable(&link.what)
        ));
    }
    out.push_str(&format!("\nbecause:  {}\n", explanation.why));
    out
}

fn without(role: &Role) -> String {
    match &role.without {
        Without::Holds => "without it, every oracle holds".to_owned(),
        Without::BreaksOther(id) => format!("without it, {id} is broken instead"),
        Without::BreaksAlike => "not necessary".to_owned(),
        Without::NoPlan => "the plan needs it".to_owned(),
    }
}

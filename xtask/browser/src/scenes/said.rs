//! What phones and pages say of themselves, as scenes read it.

use serde_json::Value;

use crate::{phone::Phone, table::Came};

/// A number that a page or a phone's screen says; 0 if it says none.
pub fn count(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_default()
}

/// A list of words that a page says, joined.
pub fn words(value: &Value) -> String {
    let words = value.as_array().into_iter().flatten();
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(" ")
    }
}

/// What went wrong inside of pages is wrong in every case.
pub async fn no_errors(phone: &mut Phone, name: &str, came: &mut Came) -> anyhow::Result<()> {
    if phone.log().is_none() {
        let looked = phone.look().await?;
        let errors = words(&looked["errors"]);
        came.must(errors == "none", format!("errors in the {name}'s page: {errors}"));
    }
    Ok(())
}

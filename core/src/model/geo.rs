//! How many exit IPs there are in each country.

use std::collections::BTreeMap;

/// Exit IPs per country code, such as `{"US": 120, "DE": 14}`. Codes that are new to this version are
/// kept as they come.
pub type GeoCounts = BTreeMap<String, u64>;

//! How many exit IPs there are in each country.

use std::collections::BTreeMap;

/// Exit IPs per country code, such as `{"US": 120, "DE": 14}`. Codes that this version does not know
/// are kept as they are.
pub type GeoCounts = BTreeMap<String, u64>;

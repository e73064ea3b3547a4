//! How many exit IPs there are in each country.

use std::collections::BTreeMap;

/// The number of exit IPs for each country code, such as `{"US": 120, "DE": 14}`. The codes are kept as the service sends them.
pub type GeoCounts = BTreeMap<String, u64>;

//! The plans an account can be on, and what each allows.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// The plan of the parent account. The [crate's page](crate#plans) has a table of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plan {
    /// The free trial: no tokens.
    FreeTrial,
    /// ProxyMesh 10.
    ProxyMesh10,
    /// ProxyMesh 20.
    ProxyMesh20,
    /// ProxyMesh 50.
    #[default]
    ProxyMesh50,
    /// ProxyMesh 100.
    ProxyMesh100,
}

impl Plan {
    /// How many tokens the parent and its sub-accounts may have in total.
    #[must_use]
    pub fn tokens(self) -> usize {
        match self {
            Self::FreeTrial => 0,
            Self::ProxyMesh10 => 10,
            Self::ProxyMesh20 => 20,
            Self::ProxyMesh50 => 50,
            Self::ProxyMesh100 => 100,
        }
    }

    /// How many sub-accounts the parent may have, inactive ones included.
    #[must_use]
    pub fn sub_accounts(self) -> usize {
        match self {
            Self::FreeTrial => 1,
            Self::ProxyMesh10 => 10,
            Self::ProxyMesh20 => 25,
            Self::ProxyMesh50 => 100,
            Self::ProxyMesh100 => 250,
        }
    }

    /// How many proxies may be authorised at the same time.
    #[must_use]
    pub fn proxies(self) -> usize {
        match self {
            Self::FreeTrial => 3,
            Self::ProxyMesh10 => 5,
            Self::ProxyMesh20 => 8,
            Self::ProxyMesh50 => 12,
            Self::ProxyMesh100 => 16,
        }
    }
}

/// The plan's name, as the program's `--plan` accepts it.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FreeTrial => "trial",
            Self::ProxyMesh10 => "10",
            Self::ProxyMesh20 => "20",
            Self::ProxyMesh50 => "50",
            Self::ProxyMesh100 => "100",
        })
    }
}

impl FromStr for Plan {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "trial" => Ok(Self::FreeTrial),
            "10" => Ok(Self::ProxyMesh10),
            "20" => Ok(Self::ProxyMesh20),
            "50" => Ok(Self::ProxyMesh50),
            "100" => Ok(Self::ProxyMesh100),
            other => Err(Error::Invalid(format!(
                "unknown plan '{other}'; the plans are trial, 10, 20, 50 and 100"
            ))),
        }
    }
}

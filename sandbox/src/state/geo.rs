//! How many IPs the geo-targeted proxies have in each country. The numbers are invented.

/// The countries of the `open` proxy.
pub(crate) const OPEN: [(&str, u32); 12] = [
    ("AU", 118),
    ("BR", 342),
    ("CA", 467),
    ("DE", 803),
    ("FR", 512),
    ("GB", 689),
    ("IN", 274),
    ("JP", 391),
    ("NL", 455),
    ("PL", 163),
    ("SG", 207),
    ("US", 4120),
];

/// The countries of the `world` proxy.
pub(crate) const WORLD: [(&str, u32); 16] = [
    ("AR", 24),
    ("AU", 61),
    ("BR", 95),
    ("CA", 140),
    ("DE", 212),
    ("ES", 83),
    ("FR", 166),
    ("GB", 198),
    ("IN", 72),
    ("IT", 90),
    ("JP", 105),
    ("KR", 47),
    ("MX", 38),
    ("SE", 29),
    ("US", 910),
    ("ZA", 17),
];

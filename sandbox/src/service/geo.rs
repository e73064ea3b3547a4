//! `/api/geoips/…`: the countries that can be chosen.

use std::collections::BTreeMap;

use crate::answer::Answer;
use crate::service::fields::Fields;
use crate::service::{Context, Reply};
use crate::state::geo;

pub(crate) fn open(_: Context<'_>, _: Fields<'_>) -> Reply {
    Ok(Answer::ok(&BTreeMap::from(geo::OPEN)))
}

pub(crate) fn world(_: Context<'_>, _: Fields<'_>) -> Reply {
    Ok(Answer::ok(&BTreeMap::from(geo::WORLD)))
}

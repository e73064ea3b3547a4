//! `/api/geoips/…`: the countries that can be chosen.

use std::collections::BTreeMap;

use crate::answer::Answer;
use crate::service::fields::Fields;
use crate::service::route::{Audience::All, Route, get};
use crate::service::{Context, Reply};
use crate::state::geo;

pub(super) const ROUTES: &[Route] =
    &[get("/api/geoips/open/", &[], All, open), get("/api/geoips/world/", &[], All, world)];

fn open(_: Context<'_>, _: Fields<'_>) -> Reply {
    Ok(Answer::ok(&BTreeMap::from(geo::OPEN)))
}

fn world(_: Context<'_>, _: Fields<'_>) -> Reply {
    Ok(Answer::ok(&BTreeMap::from(geo::WORLD)))
}

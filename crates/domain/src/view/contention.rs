//! What several open incidents want at once: the same person, and the same cause under several services.
//!
//! Made of what one reader sees, in one pass over it: whoever may not see an incident reads nothing of it here. A service may be
//! under several incidents where each of theirs depends on it, at whatever distance, and it is known to be affected itself; of
//! several such services the one that is affected and stands on nothing affected is named, since the others may be as they are
//! for its sake.
//!
//! Where a person is wanted by several parts of one incident, the order of these parts says which comes first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

/// Incidents that are named; the others are counted.
pub const NAMED_MAX: usize = 2;
/// People that are named of one incident; whoever is wanted most comes first.
pub const PEOPLE_MAX: usize = 2;

/// What an open incident wants, and what it says of services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants<'a> {
    pub reference: &'a str,
    /// Who has it, has a role or a task of it, or is asked for: ids.
    pub people: BTreeSet<&'a str>,
    pub service: Option<&'a str>,
    /// Services that it affects, and whether it does: somebody may have said that its own is not affected.
    pub affected: BTreeMap<&'a str, bool>,
    /// The incident of which it is a part, and its place among the parts where it has one.
    pub part: Option<(&'a str, Option<u32>)>,
}

/// Some incidents by their references, and how many more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub references: Vec<String>,
    pub more: usize,
}

impl Named {
    fn of(all: &[Wants<'_>], indexes: &[usize], but: Option<usize>) -> Self {
        let others = || indexes.iter().filter(|index| Some(**index) != but);
        let references: Vec<String> = others().take(NAMED_MAX).map(|index| all[*index].reference.to_owned()).collect();
        let count = indexes.len() - usize::from(but.is_some_and(|but| indexes.contains(&but)));
        Self { more: count - references.len(), references }
    }

    /// `INC-3, INC-4 and 5 more`.
    #[must_use]
    pub fn words(&self) -> String {
        let more = if self.more > 0 { format!(" and {} more", self.more) } else { String::new() };
        format!("{}{more}", self.references.join(", "))
    }
}

/// A person whom others want as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Their id.
    pub person: String,
    /// Which others want them.
    pub others: Named,
    /// Which one comes first: of those that want them and are parts of one incident with this, the one with the first place.
    pub first: Option<String>,
}

/// What of an incident others want as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contention {
    /// Who is wanted by others, those first whom most of them want.
    pub people: Vec<Wanted>,
    /// A service's id, which incidents say that it is affected, and under which it may be.
    pub under: Vec<(String, Named, Named)>,
}

impl Contention {
    /// Whether nothing of it is wanted elsewhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.under.is_empty()
    }
}

/// What others want of each, in the order of what is given. `depends_on` says on what a service stands at once.
#[must_use]
pub fn contention<'a>(all: &[Wants<'a>], depends_on: impl Fn(&'a str) -> Vec<&'a str>) -> Vec<Contention> {
    let mut out = vec![Contention::default(); all.len()];
    let mut wanted: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, one) in all.iter().enumerate() {
        for person in &one.people {
            wanted.entry(person).or_default().push(index);
        }
    }
    let firsts = firsts(all, &wanted);
    for (index, one) in all.iter().enumerate() {
        let mut people: Vec<(&str, usize)> =
            one.people.iter().map(|person| (*person, wanted[person].len())).filter(|(_, count)| *count > 1).collect();
        people.sort_by_key(|(person, count)| (std::cmp::Reverse(*count), *person));
        out[index].people = people
            .into_iter()
            .take(PEOPLE_MAX)
            .map(|(person, _)| {
                // The first few of them are enough to name some: a person may be wanted by a thousand.
                let all_of = &wanted[person];
                let first = one.part.and_then(|(whole, _)| firsts.get(&(person, whole))).map(|index| all[*index].reference.to_owned());
                Wanted { person: person.to_owned(), others: Named::of(all, all_of, Some(index)), first }
            })
            .collect();
    }
    under(all, depends_on, &mut out);
    out
}

/// Of each person and incident of which several parts want them: the part with the first place, where any has one.
fn firsts<'a>(all: &[Wants<'a>], wanted: &HashMap<&'a str, Vec<usize>>) -> HashMap<(&'a str, &'a str), usize> {
    let mut out = HashMap::new();
    for (person, indexes) in wanted.iter().filter(|(_, indexes)| indexes.len() > 1) {
        let mut parts: HashMap<&str, Vec<(Option<u32>, usize)>> = HashMap::new();
        for index in indexes {
            let Some((whole, rank)) = all[*index].part else { continue };
            parts.entry(whole).or_default().push((rank, *index));
        }
        for (whole, parts) in parts.into_iter().filter(|(_, parts)| parts.len() > 1) {
            let first = parts.into_iter().filter(|(rank, _)| rank.is_some()).min();
            out.extend(first.map(|(_, index)| ((*person, whole), index)));
        }
    }
    out
}

fn under<'a>(all: &[Wants<'a>], depends_on: impl Fn(&'a str) -> Vec<&'a str>, out: &mut [Contention]) {
    let mut affected: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, one) in all.iter().enumerate() {
        let own = one.service.filter(|service| one.affected.get(service) != Some(&false));
        let services: BTreeSet<&str> = one.affected.iter().filter(|(_, is)| **is).map(|(service, _)| *service).chain(own).collect();
        for service in services {
            affected.entry(service).or_default().push(index);
        }
    }
    // What each service stands on, at whatever distance; each is walked once.
    let mut below: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    let mut walk = |service: &'a str| -> BTreeSet<&'a str> {
        below
            .entry(service)
            .or_insert_with(|| {
                let (mut found, mut queue) = (BTreeSet::new(), depends_on(service));
                while let Some(next) = queue.pop() {
                    if next != service && found.insert(next) {
                        queue.extend(depends_on(next));
                    }
                }
                found
            })
            .clone()
    };
    let mut causes: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut dependents: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, one) in all.iter().enumerate() {
        let Some(service) = one.service else { continue };
        if !causes.contains_key(service) {
            let candidates: Vec<&str> = walk(service).into_iter().filter(|below| affected.contains_key(below)).collect();
            let lowest = candidates.iter().filter(|one| !walk(one).iter().any(|below| affected.contains_key(below)));
            let lowest: Vec<&str> = lowest.copied().collect();
            causes.insert(service, lowest);
        }
        for cause in &causes[service] {
            // Of what it says itself nobody has to tell it.
            if !affected[cause].contains(&index) {
                dependents.entry(cause).or_default().push(index);
            }
        }
    }
    for (cause, indexes) in dependents.into_iter().filter(|(_, indexes)| indexes.len() > 1) {
        let at = &affected[cause];
        let mark = (cause.to_owned(), Named::of(all, at, None), Named::of(all, &indexes, None));
        for index in at.iter().chain(&indexes) {
            out[*index].under.push(mark.clone());
        }
    }
}

/// What other open incidents that the reader sees want as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Contention))]
pub struct ContentionView {
    /// Who is wanted by others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<WantedView>,
    /// Services that are affected and may be under several incidents, with this among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<SharedCauseView>,
}

/// A person whom others want as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Wanted))]
pub struct WantedView {
    /// A person's id.
    pub person: String,
    /// References of some that want them.
    pub also: Vec<String>,
    /// How many more do.
    pub more: usize,
    /// Which one comes first, by the order of the parts of one incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub first: Option<String>,
}

/// A service that may be the cause of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = SharedCause))]
pub struct SharedCauseView {
    /// Its id.
    pub service: String,
    /// References of some incidents that say that it is affected.
    pub affected_in: Vec<String>,
    /// References of some under which it may be.
    pub under: Vec<String>,
    /// How many more it may be under.
    pub more: usize,
}

impl ContentionView {
    /// Nothing where nothing is wanted elsewhere.
    #[must_use]
    pub fn of(found: &Contention) -> Option<Self> {
        let person = |one: &Wanted| WantedView {
            person: one.person.clone(),
            also: one.others.references.clone(),
            more: one.others.more,
            first: one.first.clone(),
        };
        let cause = |(service, at, under): &(String, Named, Named)| SharedCauseView {
            service: service.clone(),
            affected_in: at.references.clone(),
            under: under.references.clone(),
            more: under.more,
        };
        let view = Self { people: found.people.iter().map(person).collect(), causes: found.under.iter().map(cause).collect() };
        (!found.is_empty()).then_some(view)
    }

    /// A sentence each, without its full stop; `name` says whom an id stands for.
    #[must_use]
    pub fn sentences(&self, name: &dyn Fn(&str) -> String) -> Vec<String> {
        let listed = |references: &[String], more: usize| Named { references: references.to_vec(), more }.words();
        let person = |one: &WantedView| {
            let first = one.first.as_ref().map_or_else(String::new, |first| format!("; {first} comes first"));
            format!("{} is also wanted by {}{first}", name(&one.person), listed(&one.also, one.more))
        };
        let cause = |one: &SharedCauseView| {
            format!("{} ({}) may be under {}", one.service, one.affected_in.join(", "), listed(&one.under, one.more))
        };
        self.people.iter().map(person).chain(self.causes.iter().map(cause)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(reference: &'static str, people: &[&'static str], service: Option<&'static str>) -> Wants<'static> {
        Wants { reference, people: people.iter().copied().collect(), service, affected: BTreeMap::new(), part: None }
    }

    /// shop → pay → db; blog → db; mail on its own.
    fn depends(service: &str) -> Vec<&'static str> {
        match service {
            "shop" => vec!["pay"],
            "pay" | "blog" => vec!["db"],
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_person_whom_several_want_is_named_with_the_others() {
        let all = [
            wants("INC-1", &["ana"], None),
            wants("INC-2", &["ana", "ben"], None),
            wants("INC-3", &["ana"], None),
            wants("INC-4", &["ana", "cho"], None),
        ];
        let found = contention(&all, depends);
        let others = Named { references: vec!["INC-2".into(), "INC-3".into()], more: 1 };
        assert_eq!(found[0].people, [Wanted { person: "ana".to_owned(), others, first: None }]);
        assert_eq!(found[1].people[0].others.words(), "INC-1, INC-3 and 1 more");
        assert_eq!(found[1].people.len(), 1, "ben is wanted by one");
    }

    #[test]
    fn of_the_parts_of_one_incident_the_order_says_which_comes_first() {
        let part = |reference, rank| Wants { part: Some(("INC-9", rank)), ..wants(reference, &["ana"], None) };
        let elsewhere = Wants { part: Some(("INC-8", Some(1))), ..wants("INC-4", &["ana"], None) };
        let all = [part("INC-1", Some(3)), part("INC-2", Some(2)), part("INC-3", None), elsewhere, wants("INC-5", &["ana"], None)];
        let firsts: Vec<Option<String>> = contention(&all, depends).into_iter().map(|one| one.people[0].first.clone()).collect();
        let second = Some("INC-2".to_owned());
        assert_eq!(firsts, [second.clone(), second.clone(), second, None, None], "one part alone has nobody to stand behind");
        let unordered = [part("INC-1", None), part("INC-2", None)];
        assert!(contention(&unordered, depends).iter().all(|one| one.people[0].first.is_none()), "nobody said an order");
        let said = ContentionView::of(&contention(&all, depends)[0]).unwrap().sentences(&|id| id.to_uppercase());
        assert_eq!(said, ["ANA is also wanted by INC-2, INC-3 and 2 more; INC-2 comes first"]);
    }

    #[test]
    fn the_lowest_that_is_affected_is_named_and_only_under_several() {
        let (shop, blog, db) = (wants("INC-1", &[], Some("shop")), wants("INC-2", &[], Some("blog")), wants("INC-3", &[], Some("db")));
        let pay = wants("INC-4", &[], Some("pay"));
        let cause = |all: &[Wants<'static>]| contention(all, depends).into_iter().map(|one| one.under).collect::<Vec<_>>();
        let named = |references: &[&str]| Named { references: references.iter().map(|one| (*one).to_owned()).collect(), more: 0 };
        let mark = vec![("db".to_owned(), named(&["INC-3"]), named(&["INC-1", "INC-2"]))];
        assert_eq!(cause(&[shop.clone(), blog.clone(), db.clone()]), [mark.clone(), mark.clone(), mark]);
        // What stands between is affected for the sake of what it stands on.
        let between = cause(&[shop.clone(), blog.clone(), db.clone(), pay.clone()]);
        assert_eq!(between[0][0].0, "db", "not pay");
        assert_eq!(between[0].len(), 1);
        // One alone is no contention; what is not affected is under nothing.
        assert!(cause(&[shop.clone(), db.clone()]).iter().all(Vec::is_empty));
        assert!(cause(&[shop.clone(), blog.clone()]).iter().all(Vec::is_empty));
        let not = Wants { affected: BTreeMap::from([("db", false)]), ..db };
        assert!(cause(&[shop, blog, not]).iter().all(Vec::is_empty), "somebody said that it is not affected");
    }
}

//! What several open incidents want at once: the same person, and the same cause under several services.
//!
//! Made of what one reader sees, in one pass over it: whoever may not see an incident reads nothing of it here. A service may be
//! under several incidents where each of theirs depends on it, at whatever distance, and it is known to be affected itself; of
//! several such services the one that is affected and stands on nothing affected is named, since the others may be as they are
//! for its sake.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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

/// What of an incident others want as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contention {
    /// A person's id, and which others want them.
    pub people: Vec<(String, Named)>,
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
                (person.to_owned(), Named::of(all, all_of, Some(index)))
            })
            .collect();
    }
    under(all, depends_on, &mut out);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(reference: &'static str, people: &[&'static str], service: Option<&'static str>) -> Wants<'static> {
        Wants { reference, people: people.iter().copied().collect(), service, affected: BTreeMap::new() }
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
        assert_eq!(found[0].people, [("ana".to_owned(), Named { references: vec!["INC-2".into(), "INC-3".into()], more: 1 })]);
        assert_eq!(found[1].people[0].1.words(), "INC-1, INC-3 and 1 more");
        assert_eq!(found[1].people.len(), 1, "ben is wanted by one");
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

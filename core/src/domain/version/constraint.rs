//! Version constraints as helm reads them (Masterminds/semver 3.5): what `dependencies[].version` may say. The oddities
//! are that library's; each is held by a row of `testdata/constraints.json`, which it wrote itself.

mod reading;

use std::cmp::Ordering;

use semver::{Prerelease, Version};

use reading::groups;

/// How much of its version a comparison names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// A wildcard in the first place: the version reads as 0.0.0.
    Nothing,
    Major,
    Minor,
    Whole,
}

/// One comparison, such as `>=1.2`.
#[derive(Debug, Clone)]
struct Comparison {
    operator: Operator,
    /// What is compared with; the places that are not named are 0.
    bound: Version,
    named: Named,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// The order of two versions by precedence, except that a number in a pre-release that 64 bits cannot hold is text.
fn order(one: &Version, other: &Version) -> Ordering {
    let numbers = |version: &Version| (version.major, version.minor, version.patch);
    let released = |version: &Version| version.pre.is_empty();
    numbers(one).cmp(&numbers(other)).then(released(one).cmp(&released(other))).then_with(|| pre_order(&one.pre, &other.pre))
}

fn pre_order(one: &Prerelease, other: &Prerelease) -> Ordering {
    // Numbers stand before text, and fewer identifiers before more.
    let identifiers = |pre: &Prerelease| -> Vec<(bool, u64, String)> {
        let identifier = |text: &str| text.parse().map_or_else(|_| (true, 0, text.to_owned()), |number| (false, number, String::new()));
        pre.as_str().split('.').map(identifier).collect()
    };
    identifiers(one).cmp(&identifiers(other))
}

impl Comparison {
    fn allows(&self, version: &Version) -> bool {
        match self.operator {
            Operator::Equal if self.named == Named::Whole => self.order(version).is_eq(),
            Operator::Equal | Operator::Tilde => self.tilde(version),
            Operator::NotEqual => self.not_equal(version),
            Operator::Greater => self.greater(version),
            Operator::Less => self.order(version).is_lt(),
            Operator::GreaterOrEqual => self.order(version).is_ge(),
            Operator::LessOrEqual => self.less_or_equal(version),
            Operator::Caret => self.caret(version),
        }
    }

    /// Where a version stands from the bound.
    fn order(&self, version: &Version) -> Ordering {
        order(version, &self.bound)
    }

    fn same_major(&self, version: &Version) -> bool {
        version.major == self.bound.major
    }

    fn same_minor(&self, version: &Version) -> bool {
        self.same_major(version) && version.minor == self.bound.minor
    }

    fn not_equal(&self, version: &Version) -> bool {
        match self.named {
            Named::Major => !self.same_major(version),
            Named::Minor => !self.same_minor(version) || version.pre != self.bound.pre,
            Named::Nothing | Named::Whole => self.order(version).is_ne(),
        }
    }

    fn greater(&self, version: &Version) -> bool {
        match self.named {
            Named::Major => version.major > self.bound.major,
            Named::Minor => (version.major, version.minor) > (self.bound.major, self.bound.minor),
            Named::Nothing | Named::Whole => self.order(version).is_gt(),
        }
    }

    fn less_or_equal(&self, version: &Version) -> bool {
        match self.named {
            Named::Major => version.major <= self.bound.major,
            Named::Nothing | Named::Minor => (version.major, version.minor) <= (self.bound.major, self.bound.minor),
            Named::Whole => self.order(version).is_le(),
        }
    }

    fn tilde(&self, version: &Version) -> bool {
        let zero = (self.bound.major, self.bound.minor, self.bound.patch) == (0, 0, 0);
        let within = match self.named {
            Named::Nothing | Named::Whole if zero => true,
            Named::Major => self.same_major(version),
            Named::Nothing | Named::Minor | Named::Whole => self.same_minor(version),
        };
        within && self.order(version).is_ge()
    }

    fn caret(&self, version: &Version) -> bool {
        let within = if self.bound.major > 0 || self.named == Named::Major {
            self.same_major(version)
        } else if self.bound.minor > 0 || self.named == Named::Minor {
            self.same_minor(version)
        } else {
            self.same_minor(version) && version.patch == self.bound.patch
        };
        within && self.order(version).is_ge()
    }
}

/// Whether a version satisfies a constraint; `None` when the constraint is none, as a blank one. A pre-release satisfies
/// only a group that names one itself.
///
/// ```
/// use chartflow_core::domain::version::constraint::allows;
/// let version = "1.4.0".parse().unwrap();
/// assert_eq!(allows("^1.2", &version), Some(true));
/// assert_eq!(allows(">=1.0 <1.4.0 || 2.x", &version), Some(false));
/// assert_eq!(allows("one", &version), None);
/// ```
#[must_use]
pub fn allows(constraint: &str, version: &Version) -> Option<bool> {
    let fits = |group: &Vec<Comparison>| {
        let named = version.pre.is_empty() || group.iter().any(|comparison| !comparison.bound.pre.is_empty());
        named && group.iter().all(|comparison| comparison.allows(version))
    };
    Some(groups(constraint)?.iter().any(fits))
}

#[cfg(test)]
mod tests;

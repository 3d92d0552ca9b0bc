//! What each action is given and what it gives, declared once: the parser of inputs, `action.yml`, the tables in the
//! READMEs and the documentation are all made from it.

mod render;
#[cfg(test)]
mod tests;
mod verbs;

use crate::domain::event::{Permissions, StageName, token_permissions};
use crate::domain::ruleset::Mode;

pub use render::{action_yml, readme};

/// An action: a stage of the train, or one of the tools beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// One of the eight stages, or all of them.
    Stage(StageName),
    /// Lists the charts that differ.
    Detect,
    /// Records what an outside check found.
    Attest,
    /// Verifies a package against its lineage.
    Verify,
    /// Compares or brings about the branch and tag rules.
    Rulesets,
}

impl Verb {
    /// Every action, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::Stage(StageName::Validate),
        Self::Stage(StageName::Filter),
        Self::Stage(StageName::Enforce),
        Self::Stage(StageName::Format),
        Self::Stage(StageName::Bump),
        Self::Stage(StageName::Tag),
        Self::Stage(StageName::Package),
        Self::Stage(StageName::Publish),
        Self::Stage(StageName::Reconcile),
        Self::Detect,
        Self::Attest,
        Self::Verify,
        Self::Rulesets,
    ];

    /// The action's name: its directory, its program and its entry point.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stage(stage) => stage.as_str(),
            Self::Detect => "detect",
            Self::Attest => "attest",
            Self::Verify => "verify",
            Self::Rulesets => "rulesets",
        }
    }

    /// The action of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == name)
    }

    /// What the token has to be allowed, as `permissions:` of a workflow names it.
    #[must_use]
    pub fn permissions(self) -> Permissions {
        use crate::domain::event::{Access, Permission};
        let list: &[(Permission, Access)] = match self {
            Self::Stage(stage) => return token_permissions(stage),
            Self::Detect => &[(Permission::Contents, Access::Read)],
            Self::Attest => &[(Permission::Contents, Access::Write)],
            Self::Verify | Self::Rulesets => &[(Permission::Contents, Access::Read)],
        };
        list.iter().copied().collect()
    }

    /// What a job that runs the action declares where the workflow's own token works, whatever it is asked to do: of a
    /// stage with two jobs, what both need.
    #[must_use]
    pub fn job_permissions(self) -> Permissions {
        use crate::domain::event::{Access, Job, Permission, job_permissions};
        let mut permissions = match self {
            Self::Stage(stage) => job_permissions(stage, Job::Act, Mode::WorkflowToken),
            _ => self.permissions(),
        };
        // It signs what an outside check found.
        if self == Self::Attest {
            permissions.insert(Permission::IdToken, Access::Write);
        }
        permissions
    }

    /// Everything about the action.
    #[must_use]
    pub fn declaration(self) -> Declaration {
        verbs::declaration(self)
    }
}

/// What an input may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that is masked before anything is printed.
    Secret,
    /// `true` or `false`, in the spellings that GitHub's toolkit reads.
    Boolean,
    /// A whole number without a sign.
    Number,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A JSON document.
    Json,
}

impl Kind {
    /// The accepted values, for people.
    #[must_use]
    pub fn accepted(self) -> String {
        match self {
            Self::Text => "any text".to_owned(),
            Self::Secret => "a secret".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Number => "a whole number".to_owned(),
            Self::Choice(words) => words.join(", "),
            Self::Json => "a JSON document".to_owned(),
        }
    }
}

/// An input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input {
    /// Its id in `with:`.
    pub name: &'static str,
    /// What it is for, one or two sentences.
    pub description: &'static str,
    /// Whether the action cannot do without.
    pub required: bool,
    /// What `action.yml` says where a workflow says nothing; empty: nothing.
    pub default: &'static str,
    /// What it may hold.
    pub kind: Kind,
}

/// An output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// Its id.
    pub name: &'static str,
    /// What it holds.
    pub description: &'static str,
    /// What it may look like.
    pub example: &'static str,
}

/// Everything about one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Which.
    pub verb: Verb,
    /// What it does, one sentence.
    pub summary: &'static str,
    /// What it does and why, for its README; Markdown.
    pub about: &'static str,
    /// The Feather icon of its branding.
    pub icon: &'static str,
    /// Whether its image carries helm.
    pub helm: bool,
    /// Its inputs, in the order of the tables.
    pub inputs: Vec<Input>,
    /// Its outputs.
    pub outputs: Vec<Output>,
}

impl Declaration {
    /// The input of this id.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.name == name)
    }
}

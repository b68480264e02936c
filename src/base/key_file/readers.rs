//! The readers of a secret file besides its owner.

use std::fs;

/// The file in which a system lists its groups.
const GROUPS: &str = "/etc/group";

/// The readers of a secret file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Readers {
    /// The owner only.
    #[default]
    Owner,
    /// The owner, and this group if it is the file's own. The group may never write.
    OwnerAndGroup(u32),
}

/// The text doesn't name a group. Its display completes the name of a setting.
#[derive(Debug, thiserror::Error)]
#[error("{name} is neither a group's number nor the name of a group in {GROUPS}")]
pub struct NoSuchGroup {
    name: String,
}

impl Readers {
    /// The owner and the group with this number, or with this name in `/etc/group`.
    ///
    /// # Errors
    /// [`NoSuchGroup`].
    pub fn with_group(named: &str) -> Result<Self, NoSuchGroup> {
        // In a container, a group often has a number only, and the file is missing.
        let number = named.parse().ok().or_else(|| {
            let groups = fs::read(GROUPS).unwrap_or_default();
            number_of(named, &String::from_utf8_lossy(&groups))
        });
        number.map(Self::OwnerAndGroup).ok_or_else(|| NoSuchGroup { name: named.into() })
    }
}

/// The number of a group. Lines have the form of group(5): name, password, number and members, separated by colons.
fn number_of(named: &str, groups: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(named)).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_a_number_or_a_name() {
        assert_eq!(Readers::with_group("65532").unwrap(), Readers::OwnerAndGroup(65532));
        let groups = "root:x:0:\nssl-cert:x:110:postgres,claviger\nbroken\nother:x:nan:\n";
        assert_eq!(number_of("ssl-cert", groups), Some(110));
        for named in ["ssl", "broken", "other", "x", ""] {
            assert_eq!(number_of(named, groups), None, "{named}");
        }
        for named in ["-1", "4294967296", "", "no group has this name"] {
            assert!(Readers::with_group(named).is_err(), "{named}");
        }
    }
}

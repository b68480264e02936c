//! The customers' portal: the console's pages about keys, in the vendor's name, for the vendor's users. A page of the portal is
//! the same handler and the same template as the console's. What the user may see and do is decided by the use cases.

mod entrance;
mod place;
pub(super) mod session;

pub(super) use self::entrance::{Ended, nobody, open, page};
pub(super) use self::place::{InPortal, is_framed, is_here, same_site};

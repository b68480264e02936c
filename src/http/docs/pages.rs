//! The documentation as Markdown, for agents and for people without the source code.

use super::super::embedded::{Embedded, MARKDOWN};

macro_rules! pages {
    (in $folder:literal: $($name:literal,)*) => {
        [$(Embedded::plain($name, MARKDOWN, include_bytes!(concat!("../../../", $folder, $name))),)*]
    };
}

/// Every page in the folder `docs`.
pub(super) const PAGES: [Embedded; 28] = pages![in "docs/":
    "administration.md",
    "architecture.md",
    "asvs.md",
    "cli.md",
    "clients.md",
    "configuration.md",
    "console.md",
    "dpop.md",
    "fapi.md",
    "federation.md",
    "gateways.md",
    "glossary.md",
    "known-attacks.md",
    "mcp.md",
    "members.md",
    "metrics.md",
    "operating.md",
    "performance.md",
    "portal.md",
    "resource-servers.md",
    "rfc-divergences.md",
    "rfcs.md",
    "runbooks.md",
    "scopes.md",
    "security.md",
    "sign-in.md",
    "tour.md",
    "ways-in.md",
];

/// Every page in the folder `docs/operating`.
pub(super) const OPERATING_PAGES: [Embedded; 4] = pages![in "docs/operating/":
    "install.md",
    "recover.md",
    "run.md",
    "watch.md",
];

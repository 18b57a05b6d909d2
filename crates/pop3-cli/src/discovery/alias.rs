//! Aliases of hosts (CNAME).

use hickory_resolver::proto::rr::{RData, RecordType};

use super::LIMIT;
use super::srv::resolver;

/// Returns the name that a host's name is an alias of. `None` if it is none, or if DNS cannot be asked.
pub fn alias_of(host: &str) -> Option<String> {
    let resolver = resolver()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let found = runtime.block_on(async {
        // The point at the end keeps the search list of this machine away from the name.
        let lookup = resolver.lookup(format!("{host}."), RecordType::CNAME);
        tokio::time::timeout(LIMIT, lookup).await.ok()?.ok()
    })?;
    let target = found
        .answers()
        .iter()
        .find_map(|record| if let RData::CNAME(target) = &record.data { Some(target.0.to_ascii()) } else { None });
    target.map(|target| target.strip_suffix('.').unwrap_or(&target).to_owned())
}

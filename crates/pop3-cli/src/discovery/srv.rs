//! SRV records of mail services (RFC 6186).

use std::collections::BTreeMap;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::proto::rr::rdata::SRV;

use super::{LIMIT, Server};

/// No more servers are tried than this, however many a domain names.
const MOST_SERVERS: usize = 6;

/// What the records of a domain say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The servers, the best first. TLS from the first octet comes before `STLS` (RFC 8314 §3).
    Servers(Vec<Server>),
    /// The domain says that it has no POP3.
    NotOffered,
    /// There are no records, or DNS cannot be asked.
    Nothing,
}

/// Looks the records of a domain up, with the name servers of this machine.
pub fn look_up(domain: &str) -> Answer {
    resolver().map_or(Answer::Nothing, |resolver| ask(&resolver, domain))
}

/// Returns a resolver that asks the name servers of this machine. `None` if none are configured.
pub fn resolver() -> Option<TokioResolver> {
    let mut builder = TokioResolver::builder_tokio().ok()?;
    builder.options_mut().timeout = Duration::from_secs(2);
    builder.build().ok()
}

fn ask(resolver: &TokioResolver, domain: &str) -> Answer {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Answer::Nothing };
    let records = |service: &str| {
        // The point at the end keeps the search list of this machine away from the name.
        let name = format!("{service}._tcp.{domain}.");
        async move { resolver.srv_lookup(name).await.map(|found| records(found.answers().iter().map(|record| &record.data))) }
    };
    runtime.block_on(async {
        let both = async { tokio::join!(records("_pop3s"), records("_pop3")) };
        tokio::time::timeout(LIMIT, both).await.map_or(Answer::Nothing, |(pop3s, pop3)| answer(pop3s, pop3))
    })
}

fn records<'r>(data: impl Iterator<Item = &'r RData>) -> Vec<SRV> {
    data.filter_map(|data| if let RData::SRV(record) = data { Some(record.clone()) } else { None }).collect()
}

fn answer(pop3s: Result<Vec<SRV>, NetError>, pop3: Result<Vec<SRV>, NetError>) -> Answer {
    let (pop3s, pop3) = (pop3s.unwrap_or_default(), pop3.unwrap_or_default());
    let is_not_offered = |records: &[SRV]| records.iter().all(|record| record.target.is_root());
    // S57: a lone point means that the service is not offered. Services without a record say nothing.
    if is_not_offered(&pop3s) && is_not_offered(&pop3) {
        return if pop3s.is_empty() && pop3.is_empty() { Answer::Nothing } else { Answer::NotOffered };
    }
    let servers = |records, stls| ordered(records, fastrand::u32).into_iter().map(move |record| server(&record, stls));
    Answer::Servers(servers(pop3s, false).chain(servers(pop3, true)).take(MOST_SERVERS).collect())
}

fn server(record: &SRV, stls: bool) -> Server {
    let host = record.target.to_ascii();
    Server { host: host.strip_suffix('.').unwrap_or(&host).to_lowercase(), port: record.port, stls }
}

/// Orders the records by priority, and within one by chance in proportion to the weights (RFC 2782). `chance` returns a number of a range.
// S57
fn ordered(records: Vec<SRV>, mut chance: impl FnMut(std::ops::RangeInclusive<u32>) -> u32) -> Vec<SRV> {
    let mut by_priority: BTreeMap<u16, Vec<SRV>> = BTreeMap::new();
    for record in records.into_iter().filter(|record| !record.target.is_root()) {
        by_priority.entry(record.priority).or_default().push(record);
    }
    let mut ordered = Vec::new();
    for mut rest in by_priority.into_values() {
        // Records of weight 0 come first, so that only the number 0 selects them.
        rest.sort_by_key(|record| record.weight);
        while !rest.is_empty() {
            let total = rest.iter().map(|record| u32::from(record.weight)).sum();
            let mut wanted = chance(0..=total);
            let mut at = 0;
            while wanted > u32::from(rest[at].weight) {
                wanted -= u32::from(rest[at].weight);
                at += 1;
            }
            ordered.push(rest.remove(at));
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};
    use std::thread;

    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
    use hickory_resolver::proto::rr::{Name, Record, RecordType};

    use super::*;

    fn record(priority: u16, weight: u16, port: u16, target: &str) -> SRV {
        SRV::new(priority, weight, port, Name::from_ascii(target).unwrap())
    }

    /// Asks a name server that answers with these records of the service `_pop3s` and `_pop3`, and with `NXDOMAIN` for all else.
    fn answer_of(pop3s: &[SRV], pop3: &[SRV]) -> Answer {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let known = [("_pop3s._tcp.example.org.", pop3s.to_vec()), ("_pop3._tcp.example.org.", pop3.to_vec())];
        thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let request = Message::from_vec(&buffer[..length]).unwrap();
                let query = request.queries[0].clone();
                let mut reply = Message::response(request.metadata.id, request.metadata.op_code);
                reply.metadata.message_type = MessageType::Response;
                let found = known.iter().find(|(name, _)| query.name().to_ascii().eq_ignore_ascii_case(name));
                match found.filter(|(_, records)| !records.is_empty() && query.query_type() == RecordType::SRV) {
                    None => reply.metadata.response_code = ResponseCode::NXDomain,
                    Some((_, records)) => {
                        let answer = |srv: &SRV| Record::from_rdata(query.name().clone(), 60, RData::SRV(srv.clone()));
                        reply.add_answers(records.iter().map(answer));
                    }
                }
                reply.add_query(query);
                socket.send_to(&reply.to_vec().unwrap(), from).unwrap();
            }
        });
        let mut connection = ConnectionConfig::udp();
        connection.port = port;
        let server = NameServerConfig::new(Ipv4Addr::LOCALHOST.into(), true, vec![connection]);
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build().unwrap();
        ask(&resolver, "example.org")
    }

    fn told(answer: Answer) -> Vec<String> {
        let Answer::Servers(servers) = answer else { panic!("{answer:?}") };
        servers.iter().map(|it| format!("{}:{}{}", it.host, it.port, if it.stls { " stls" } else { "" })).collect()
    }

    #[test]
    fn s57_tls_comes_first_and_the_lower_priority_before_the_higher() {
        let pop3s = [record(20, 0, 995, "b.example.org."), record(10, 0, 1995, "A.example.org.")];
        let answer = answer_of(&pop3s, &[record(0, 0, 110, "c.example.org.")]);
        assert_eq!(told(answer), ["a.example.org:1995", "b.example.org:995", "c.example.org:110 stls"]);
        let many: Vec<_> = (0..20).map(|at| record(at, 0, 995, "x.example.org.")).collect();
        assert_eq!(told(answer_of(&many, &[])).len(), MOST_SERVERS);
    }

    #[test]
    fn s57_a_lone_point_says_that_a_service_is_not_offered() {
        let none = [record(0, 0, 0, ".")];
        assert_eq!(answer_of(&none, &none), Answer::NotOffered);
        assert_eq!(answer_of(&[], &none), Answer::NotOffered);
        assert_eq!(told(answer_of(&none, &[record(0, 0, 110, "c.example.org.")])), ["c.example.org:110 stls"]);
        assert_eq!(answer_of(&[], &[]), Answer::Nothing);
    }

    #[test]
    fn s57_records_of_one_priority_are_ordered_by_chance_and_weight() {
        let records = || vec![record(1, 3, 1, "c."), record(1, 0, 1, "a."), record(1, 1, 1, "b.")];
        let order = |first| {
            let mut chances = vec![first, 0, 0].into_iter();
            let ordered = ordered(records(), |_| chances.next().unwrap());
            ordered.iter().map(|record| record.target.to_ascii()).collect::<Vec<_>>()
        };
        assert_eq!([0, 1, 2, 4].map(|first| order(first).remove(0)), ["a.", "b.", "c.", "c."]);
        let mut ranges = Vec::new();
        ordered(records(), |range| {
            ranges.push(range.clone());
            *range.end()
        });
        assert_eq!(ranges, [0..=4, 0..=1, 0..=0]);
    }
}

//! DNS servers asked about hosts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::A;
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use tenant_operator::world::http::dns::lookups;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

const EDGE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

/// Knows `acme.example.com`, and `big.example.com` only over TCP; refuses to speak of `secret.example.com`.
fn reply(query: &[u8], over_tcp: bool) -> Vec<u8> {
    let query = Message::from_vec(query).unwrap();
    let question = query.queries[0].clone();
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.add_query(question.clone());
    let name = question.name().to_lowercase().to_string();
    match name.as_str() {
        "big.example.com." if !over_tcp => reply.metadata.truncation = true,
        "acme.example.com." | "big.example.com." if question.query_type() == RecordType::A => {
            reply.add_answer(Record::from_rdata(question.name().clone(), 60, RData::A(A(EDGE))));
        }
        "acme.example.com." | "big.example.com." | "bare.example.com." => {}
        "secret.example.com." => reply.metadata.response_code = ResponseCode::Refused,
        _ => reply.metadata.response_code = ResponseCode::NXDomain,
    }
    reply.to_vec().unwrap()
}

async fn server() -> SocketAddr {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let udp = UdpSocket::bind(address).await.unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        loop {
            let (length, from) = udp.recv_from(&mut buffer).await.unwrap();
            udp.send_to(&reply(&buffer[..length], false), from).await.unwrap();
        }
    });
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = tcp.accept().await.unwrap();
            while let Ok(length) = stream.read_u16().await {
                let mut query = vec![0; usize::from(length)];
                stream.read_exact(&mut query).await.unwrap();
                let reply = reply(&query, true);
                stream.write_u16(u16::try_from(reply.len()).unwrap()).await.unwrap();
                stream.write_all(&reply).await.unwrap();
            }
        }
    });
    address
}

#[tokio::test]
async fn a_named_server_is_asked_about_both_hosts() {
    let server = server().await.to_string();
    let seen = lookups(std::slice::from_ref(&server), ["acme.example.com", "gone.example.com"]).await;
    assert_eq!(seen.iter().map(|lookup| lookup.host.as_str()).collect::<Vec<_>>(), ["acme.example.com", "gone.example.com"]);
    assert_eq!(seen[0].server, server);
    assert_eq!(seen[0].answer, Ok(vec![IpAddr::V4(EDGE)]));
    assert_eq!(seen[1].answer, Err("there is no such name".to_owned()));
}

#[tokio::test]
async fn what_does_not_fit_is_asked_again_over_tcp() {
    let server = server().await.to_string();
    let seen = lookups(&[server], ["big.example.com", "bare.example.com"]).await;
    assert_eq!(seen[0].answer, Ok(vec![IpAddr::V4(EDGE)]));
    assert_eq!(seen[1].answer, Ok(vec![]), "the name is there, without an address");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_said_so() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let servers = [server().await.to_string(), silent.local_addr().unwrap().to_string(), "not an address".to_owned()];
    let seen = lookups(&servers, ["secret.example.com", "acme.example.com"]).await;
    let answers: Vec<String> = seen.iter().map(|lookup| lookup.answer.clone().err().unwrap_or_default()).collect();
    assert!(answers[0].starts_with("it answers"), "{answers:?}");
    assert_eq!(answers[1], "");
    assert!(!answers[2].is_empty() && !answers[3].is_empty() && !answers[4].is_empty(), "{answers:?}");
}

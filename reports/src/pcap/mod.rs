//! A capture of one run for Wireshark: pcapng with an interface for each host.
//!
//! A trace holds no bytes, so it takes the packets that a tap kept of the same run ([`Tapped`]). A datagram appears
//! where it was sent and where it was received; a segment where it was sent, and where it was received only if a NAT
//! changed its addresses: a reader that reassembles a connection would otherwise treat the second copy of a segment as
//! a retransmission.

mod frame;

use std::{borrow::Cow, collections::BTreeMap, net::IpAddr, time::Duration};

use pcap_file::{
    DataLink, Endianness,
    pcapng::{
        PcapNgBlock, PcapNgWriteError, PcapNgWriter,
        blocks::{
            enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption},
            interface_description::{
                InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
            },
            name_resolution::{Ipv4Record, Ipv6Record, NameResolutionBlock, Record},
            opt_common::CommonOption,
            section_header::{SectionHeaderBlock, SectionHeaderOption},
        },
    },
};
use sleet::{
    ambient::CALENDAR_START_S,
    explain::descriptions,
    net::topology::Topology,
    run::RunRecord,
    trace::{EventKind, Flow, PacketId, Proto, Tapped},
};
use thiserror::Error;

/// The interface for addresses that no host has.
const NOWHERE: &str = "network";
/// The link type of raw IP packets of either version.
const LINK: DataLink = DataLink::RAW;

/// The error of a capture that could not be made.
#[derive(Debug, Error)]
#[error("the capture cannot be written: {0}")]
pub struct CaptureError(#[from] PcapNgWriteError);

/// Returns the capture of a run: `tapped` are the packets that its tap kept.
///
/// # Errors
/// Returns [`CaptureError`] if a packet does not fit the format.
pub fn pcapng(record: &RunRecord, tapped: &[Tapped]) -> Result<Vec<u8>, CaptureError> {
    let topology = &record.plan.topology;
    let mut writer = PcapNgWriter::with_section_header(Vec::new(), section(record))?;
    let hosts: Vec<&str> = topology
        .hosts
        .iter()
        .map(|h| h.name.as_str())
        .chain([NOWHERE])
        .collect();
    for host in &hosts {
        writer.write_block(&interface(host, topology).into_block())?;
    }
    writer.write_block(&names(topology).into_block())?;
    let fates = Fates::of(record);
    let sent: BTreeMap<PacketId, Flow> = tapped
        .iter()
        .filter(|t| !t.received)
        .map(|t| (t.packet, t.flow))
        .collect();
    for packet in tapped {
        let seen_before = sent.get(&packet.packet) == Some(&packet.flow);
        if packet.received && packet.flow.proto == Proto::Tcp && seen_before {
            continue;
        }
        let host = packet.host.as_deref().unwrap_or(NOWHERE);
        let interface = hosts.iter().position(|h| *h == host).unwrap_or(hosts.len() - 1);
        let data = frame::ip(packet);
        let comment = fates.comment(packet);
        let block = EnhancedPacketBlock {
            interface_id: interface as u32,
            timestamp: Duration::from_secs(CALENDAR_START_S) + Duration::from_nanos(packet.at.as_nanos()),
            original_len: data.len() as u32,
            data: Cow::Owned(data),
            options: vec![
                // Bits 0 and 1: inbound or outbound.
                EnhancedPacketOption::Flags(if packet.received { 1 } else { 2 }),
                EnhancedPacketOption::Common(CommonOption::Comment(Cow::Owned(comment))),
            ],
        };
        writer.write_block(&block.into_block())?;
    }
    Ok(writer.into_inner())
}

fn section(record: &RunRecord) -> SectionHeaderBlock<'static> {
    let comment = format!("{}@{} {}", record.scenario, record.seed, record.trace.digest);
    SectionHeaderBlock {
        endianness: Endianness::Little,
        options: vec![
            SectionHeaderOption::UserApplication(Cow::Borrowed("Sleet")),
            SectionHeaderOption::Common(CommonOption::Comment(Cow::Owned(comment))),
        ],
        ..SectionHeaderBlock::default()
    }
}

fn interface<'a>(host: &'a str, topology: &Topology) -> InterfaceDescriptionBlock<'a> {
    let mut options = vec![
        InterfaceDescriptionOption::IfName(Cow::Borrowed(host)),
        InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
    ];
    let behind = topology.host(host).and_then(|h| h.nat.as_deref());
    if let Some(nat) = behind {
        let text = format!("{host}, inside the NAT {nat}");
        options.insert(1, InterfaceDescriptionOption::IfDescription(Cow::Owned(text)));
    }
    InterfaceDescriptionBlock {
        linktype: LINK,
        snaplen: 0,
        options,
    }
}

/// Returns the names of all addresses.
fn names(topology: &Topology) -> NameResolutionBlock<'_> {
    let hosts = topology
        .hosts
        .iter()
        .flat_map(|h| h.addresses().map(|a| (a, h.name.as_str())));
    let nats = topology.nats.iter().map(|n| (n.external, n.name.as_str()));
    let record = |(address, name)| {
        let names = vec![Cow::Borrowed(name)];
        match address {
            IpAddr::V4(ip_addr) => Record::Ipv4(Ipv4Record { ip_addr, names }),
            IpAddr::V6(ip_addr) => Record::Ipv6(Ipv6Record { ip_addr, names }),
        }
    };
    NameResolutionBlock {
        records: hosts.chain(nats).map(record).collect(),
        options: Vec::new(),
    }
}

/// The trace's data about each packet.
struct Fates {
    sent: BTreeMap<PacketId, u64>,
    said: BTreeMap<PacketId, Vec<String>>,
}

impl Fates {
    fn of(record: &RunRecord) -> Self {
        let mut fates = Self {
            sent: BTreeMap::new(),
            said: BTreeMap::new(),
        };
        for event in &record.trace.events {
            let (packet, by, what) = match &event.kind {
                EventKind::PacketSent { packet, .. } => {
                    fates.sent.insert(*packet, event.seq);
                    continue;
                }
                EventKind::PacketDropped { packet, by } => (packet, by, "dropped".to_owned()),
                EventKind::PacketDelayed { packet, by, by_ns } => {
                    (packet, by, format!("late by {} ms", by_ns / 1_000_000))
                }
                EventKind::PacketDuplicated { packet, by } => (packet, by, "duplicated".to_owned()),
                EventKind::PacketCorrupted { packet, by, bit } => {
                    (packet, by, format!("corrupted in bit {bit}"))
                }
                EventKind::PacketTruncated { packet, by, len } => {
                    (packet, by, format!("truncated to {len} bytes"))
                }
                _ => continue,
            };
            let line = format!(
                "event {}: {what}: {}",
                event.seq,
                descriptions::cause(&record.plan, by)
            );
            fates.said.entry(*packet).or_default().push(line);
        }
        fates
    }

    fn comment(&self, packet: &Tapped) -> String {
        let Some(event) = self.sent.get(&packet.packet) else {
            return "a reset by the network itself: TCP has given up, or a fault cut the connection"
                .to_owned();
        };
        let mut lines = vec![format!("#{}, event {event}", packet.packet)];
        lines.extend(self.said.get(&packet.packet).into_iter().flatten().cloned());
        lines.join("\n")
    }
}

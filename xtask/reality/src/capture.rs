//! The packets of the calls that are under way, as the wire sees them, and the captures that are kept of some.
//!
//! What a call sends is remembered until the next call of its lane begins, the newest two mebibytes of it. It becomes a file only where
//! somebody will want to look: a call that did not come out well though all should have, or any call of a case that disagrees.

use std::{
    borrow::Cow,
    collections::VecDeque,
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use pcap_file::{
    DataLink, Endianness,
    pcapng::{
        PcapNgBlock, PcapNgWriter,
        blocks::{
            enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption},
            interface_description::{
                InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
            },
            opt_common::CommonOption,
            section_header::{SectionHeaderBlock, SectionHeaderOption},
        },
    },
};

use crate::{compare::Row, damage::Damage};

/// How much of a call is remembered, in bytes.
const REMEMBERED: usize = 2 << 20;
/// How many captures are kept of a case: of calls that did not come out well, and of others to compare them with.
const KEPT: [usize; 2] = [5, 2];
/// How the name of a capture ends, of a call that did not come out well, and of another.
const ENDING: [&str; 2] = [".pcapng", ".well.pcapng"];

/// A packet, and what became of it on the wire.
struct Seen {
    at: Duration,
    packet: Vec<u8>,
    /// How much later it arrived, and with which damage; not at all, once or twice.
    arrives: Vec<Arrival>,
}

/// How much later a copy arrived, and what had been done to it.
pub type Arrival = (Duration, Vec<Damage>);

/// What is remembered of a call.
#[derive(Default)]
pub struct Recent {
    seen: VecDeque<Seen>,
    bytes: usize,
    forgotten: u64,
}

impl Recent {
    /// Remembers a packet that came `at`, from the beginning of the call on, and `arrives` so much later.
    pub fn add(&mut self, at: Duration, packet: &[u8], arrives: Vec<Arrival>) {
        self.bytes += packet.len();
        self.seen.push_back(Seen {
            at,
            packet: packet.to_owned(),
            arrives,
        });
        while self.bytes > REMEMBERED {
            let Some(first) = self.seen.pop_front() else {
                return;
            };
            self.bytes -= first.packet.len();
            self.forgotten += 1;
        }
    }

    /// Writes it as pcapng; `about` says of what. Times count from the beginning of the call.
    ///
    /// # Errors
    /// When `out` takes nothing.
    pub fn write(&self, out: impl Write, about: &str) -> anyhow::Result<()> {
        let comment = match self.forgotten {
            0 => about.to_owned(),
            n => format!("{about}; the first {n} packets were not kept"),
        };
        let section = SectionHeaderBlock {
            endianness: Endianness::Little,
            options: vec![
                SectionHeaderOption::UserApplication(Cow::Borrowed("Sleet")),
                SectionHeaderOption::Common(CommonOption::Comment(Cow::Owned(comment))),
            ],
            ..SectionHeaderBlock::default()
        };
        let mut writer = PcapNgWriter::with_section_header(out, section)?;
        let interface = InterfaceDescriptionBlock {
            linktype: DataLink::RAW,
            snaplen: 0,
            options: vec![
                InterfaceDescriptionOption::IfName(Cow::Borrowed("wire")),
                InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
            ],
        };
        writer.write_block(&interface.into_block())?;
        for seen in &self.seen {
            let block = EnhancedPacketBlock {
                interface_id: 0,
                timestamp: seen.at,
                original_len: seen.packet.len() as u32,
                data: Cow::Borrowed(&seen.packet),
                options: vec![EnhancedPacketOption::Common(CommonOption::Comment(Cow::Owned(
                    fate(&seen.arrives),
                )))],
            };
            writer.write_block(&block.into_block())?;
        }
        Ok(())
    }

    /// Writes it into `file`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, file: &Path, about: &str) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        self.write(&mut bytes, about)?;
        fs::write(file, bytes).with_context(|| file.display().to_string())
    }
}

/// What the wire did with a packet, in words.
fn fate(arrives: &[Arrival]) -> String {
    let times = arrives.iter().map(|(after, damage)| {
        let damaged = if damage.is_empty() { "" } else { ", damaged" };
        format!("{} ms{damaged}", after.as_millis())
    });
    match arrives.len() {
        0 => "lost on the wire".to_owned(),
        _ => format!("arrives after {}", times.collect::<Vec<_>>().join(" and after ")),
    }
}

/// Where the captures of a case are kept.
pub struct Folder {
    path: PathBuf,
    kept: [usize; 2],
}

impl Folder {
    /// The folder of `case` in that of what was executed, empty.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(executed: &Path, case: &str) -> anyhow::Result<Self> {
        let path = of_case(executed, case);
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir_all(&path)?;
        Ok(Self { path, kept: [0; 2] })
    }

    /// The file for the capture of a call; none when enough are kept.
    pub fn file(&mut self, seed: u64, well: bool) -> Option<PathBuf> {
        let kind = usize::from(well);
        (self.kept[kind] < KEPT[kind]).then(|| {
            self.kept[kind] += 1;
            self.path.join(format!("{seed}{}", ENDING[kind]))
        })
    }
}

fn of_case(executed: &Path, case: &str) -> PathBuf {
    executed.join("captures").join(case)
}

/// Throws away what nobody will look at now that `row` is known, unless `all` are wanted; what stays, as paths from the folder of what was executed.
///
/// # Errors
/// When a file cannot be removed.
pub fn sort_out(executed: &Path, row: &Row, all: bool) -> anyhow::Result<Vec<PathBuf>> {
    let folder = of_case(executed, &row.case);
    let mut stay = Vec::new();
    let disagrees = !row.disagreements().is_empty();
    let all_should = row.simulated.share().hits == row.simulated.calls;
    for entry in fs::read_dir(&folder).into_iter().flatten() {
        let path = entry?.path();
        let is_well = path.to_string_lossy().ends_with(ENDING[1]);
        if all || disagrees || (all_should && !is_well) {
            let inner = path.strip_prefix(executed).map_or(path.clone(), Path::to_owned);
            stay.push(inner);
        } else {
            fs::remove_file(&path)?;
        }
    }
    if stay.is_empty() {
        // There may be none: without a wire there are no captures.
        let _ = fs::remove_dir(&folder);
    }
    stay.sort();
    Ok(stay)
}

#[cfg(test)]
mod tests {
    use pcap_file::pcapng::{Block, PcapNgReader};

    use super::*;

    /// The packets of a capture: when, how long, and the comment.
    fn packets(bytes: &[u8]) -> Vec<(Duration, usize, String)> {
        let mut reader = PcapNgReader::new(bytes).expect("a capture");
        let mut packets = Vec::new();
        while let Some(block) = reader.next_block() {
            if let Block::EnhancedPacket(packet) = block.expect("a block").0 {
                let comment = packet.options.iter().find_map(|option| match option {
                    EnhancedPacketOption::Common(CommonOption::Comment(text)) => Some(text.to_string()),
                    _ => None,
                });
                packets.push((packet.timestamp, packet.data.len(), comment.unwrap_or_default()));
            }
        }
        packets
    }

    #[test]
    fn what_is_lost_on_the_wire_is_in_the_capture_and_says_so() {
        let mut recent = Recent::default();
        let ms = Duration::from_millis;
        recent.add(ms(5), &[0x45; 40], vec![(ms(12), Vec::new())]);
        recent.add(ms(9), &[0x45; 60], Vec::new());
        let mut bytes = Vec::new();
        recent.write(&mut bytes, "a/b@1").expect("memory takes it");
        let seen = [
            (ms(5), 40, "arrives after 12 ms".to_owned()),
            (ms(9), 60, "lost on the wire".to_owned()),
        ];
        assert_eq!(packets(&bytes), seen);
    }

    #[test]
    fn a_capture_has_a_limit_and_keeps_the_newest() {
        let mut recent = Recent::default();
        for n in 0..3_000 {
            recent.add(Duration::from_millis(n), &[0x45; 1_000], Vec::new());
        }
        let mut bytes = Vec::new();
        recent.write(&mut bytes, "a/b@1").expect("memory takes it");
        let packets = packets(&bytes);
        assert_eq!(packets.len(), REMEMBERED / 1_000);
        assert_eq!(packets.last().map(|p| p.0), Some(Duration::from_millis(2_999)));
    }
}

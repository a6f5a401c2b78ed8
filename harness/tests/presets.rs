//! Whether what a preset promises comes out, measured on fixed seeds in simulated time.
//!
//! Every bound is five standard deviations of what is measured, unless it says otherwise: a correct link
//! exceeds one of them by chance about once in 1.7 million measurements.

use std::time::Duration;

use sleet::{
    net::{
        latency::Latency,
        link::{Fate, Link, LinkEnd, LinkProfile},
        presets::Preset,
        queue::{QueueLimit, serialisation},
    },
    seed::Seed,
    time::SimTime,
    trace::{Direction, Effect, Flow, Proto},
};

/// What a preset promises: median delay in ms, up and down; the share that is lost; the mean burst, 1 where
/// losses are independent; and kbit/s, up and down, 0 without limit.
type Promise = (Preset, [f64; 2], f64, f64, [u64; 2]);

/// The promises, written down a second time, so that a slip in the presets shows.
const PROMISED: [Promise; 17] = [
    (Preset::Lan, [0.2, 0.2], 0.0, 1.0, [1_000_000, 1_000_000]),
    (Preset::HomeWifi, [5.0, 5.0], 2.0 / 202.0, 2.0, [100_000, 100_000]),
    (Preset::LossyWifi, [15.0, 15.0], 2.0 / 42.0, 2.0, [50_000, 50_000]),
    (
        Preset::CongestedWifi,
        [18.0, 18.0],
        3.0 / 63.0,
        3.0,
        [5_000, 5_000],
    ),
    (Preset::Cable, [2.0, 2.0], 0.0, 1.0, [1_000, 6_000]),
    (Preset::Dsl, [5.0, 5.0], 0.0, 1.0, [256, 2_000]),
    (Preset::FourG, [50.0, 50.0], 2.0 / 102.0, 2.0, [30_000, 30_000]),
    (Preset::ThreeG, [100.0, 100.0], 0.0, 1.0, [330, 780]),
    (Preset::WeakThreeG, [100.0, 100.0], 0.01, 1.0, [250, 250]),
    (Preset::Edge, [440.0, 400.0], 0.01, 1.0, [200, 240]),
    (Preset::TwoG, [650.0, 650.0], 0.02, 1.0, [18, 20]),
    (Preset::Satellite, [600.0, 600.0], 0.03, 1.0, [500, 3_000]),
    (
        Preset::Transatlantic,
        [41.5, 41.5],
        0.0001,
        1.0,
        [1_000_000, 1_000_000],
    ),
    (Preset::Rmcat, [65.0, 65.0], 0.0, 1.0, [4_000, 4_000]),
    (Preset::Lossy, [20.0, 20.0], 0.05, 1.0, [0, 0]),
    (Preset::Hotel, [50.0, 50.0], 0.02, 3.0, [500, 1_000]),
    (Preset::VeryBad, [500.0, 500.0], 0.1, 1.0, [1_000, 1_000]),
];

/// Datagrams per measurement of loss and delay.
const N: usize = 100_000;
/// Bytes of payload, and of the IP packet around them.
const LEN: u32 = 1_200;
const IP_LEN: u32 = LEN + 28;

fn flow() -> Flow {
    Flow {
        proto: Proto::Udp,
        src: "10.0.0.1:1".parse().unwrap(),
        dst: "10.0.0.2:2".parse().unwrap(),
    }
}

/// Both directions of every preset with its promises: its name, its profile, median in ms, loss, burst and
/// kbit/s.
fn directions() -> Vec<(String, LinkProfile, f64, f64, f64, u64)> {
    let both = |(preset, median, loss, burst, kbps): Promise| {
        [("up", preset.up()), ("down", preset.down())]
            .into_iter()
            .enumerate()
            .map(move |(i, (way, profile))| {
                (
                    format!("{preset} {way}"),
                    profile,
                    median[i],
                    loss,
                    burst,
                    kbps[i],
                )
            })
    };
    PROMISED.into_iter().flat_map(both).collect()
}

fn end(link: &str) -> LinkEnd {
    LinkEnd {
        link: link.into(),
        direction: Direction::Up,
    }
}

/// What becomes of `n` datagrams that enter every `gap`: how long each one takes, or what drops it.
fn send(name: &str, profile: &LinkProfile, n: usize, gap: Duration) -> Vec<Result<Duration, Effect>> {
    let mut link = Link::new(Seed(2026), end(name), profile.clone());
    let mut now = SimTime::ZERO;
    (0..n)
        .map(|_| {
            let fate = link.carry(now, flow(), LEN);
            let result = match fate {
                Fate::Carried { first, second: None } => Ok(first.at - now),
                Fate::Dropped(by) => Err(by.effect().expect("a link")),
                other => panic!("{name}: {other:?}"),
            };
            now = now + gap;
            result
        })
        .collect()
}

fn time_of(profile: &LinkProfile) -> Duration {
    profile
        .bandwidth_kbps
        .map_or(Duration::ZERO, |kbps| serialisation(kbps, IP_LEN))
}

/// So rarely that no packet waits for another.
fn alone(profile: &LinkProfile) -> Duration {
    time_of(profile) + profile.jitter.longest() + Duration::from_millis(1)
}

/// The quantile `q` of a distribution, in nanoseconds.
fn quantile(latency: &Latency, q: f64) -> f64 {
    let us = match latency {
        Latency::Constant { us } => *us as f64,
        Latency::Uniform { min_us, max_us } => *min_us as f64 + q * (max_us - min_us) as f64,
        Latency::Quantiles { points } => {
            let shares: Vec<(f64, f64)> = points
                .iter()
                .map(|p| (f64::from(p.0) / 1e6, p.1 as f64))
                .collect();
            let around = shares.windows(2).find(|w| q <= w[1].0).unwrap();
            let ((x0, y0), (x1, y1)) = (around[0], around[1]);
            y0 + (y1 - y0) * (q - x0) / (x1 - x0)
        }
    };
    us * 1_000.0
}

#[test]
fn every_preset_is_promised_and_found_by_its_name() {
    assert_eq!(PROMISED.map(|row| row.0), Preset::ALL);
    for preset in Preset::ALL {
        assert_eq!(preset.name().parse(), Ok(preset));
        assert!(!preset.source().is_empty());
        for profile in [preset.up(), preset.down()] {
            assert_eq!(profile.check(), Ok(()), "{preset}");
        }
    }
    assert!("5g".parse::<Preset>().unwrap_err().contains("home-wifi"));
}

#[test]
fn packets_are_lost_as_often_as_promised() {
    for (name, profile, _, p, burst, _) in directions() {
        let sent = send(&name, &profile, N, alone(&profile));
        let by = if burst > 1.0 { Effect::Burst } else { Effect::Loss };
        assert!(sent.iter().flatten().count() + sent.iter().filter(|r| **r == Err(by)).count() == N);
        let share = sent.iter().filter(|r| r.is_err()).count() as f64 / N as f64;
        // The mean of N independent draws deviates by sqrt(p (1 - p) / N). Of a two-state chain, neighbours
        // correlate by r = 1 - 1/good - 1/bad, which multiplies the variance by (1 + r) / (1 - r).
        let spread = if burst > 1.0 {
            let good = burst * (1.0 - p) / p;
            let r = 1.0 - 1.0 / good - 1.0 / burst;
            (1.0 + r) / (1.0 - r)
        } else {
            1.0
        };
        let bound = 5.0 * (p * (1.0 - p) * spread / N as f64).sqrt();
        assert!(
            (share - p).abs() <= bound,
            "{name}: lost {share:.5}, promised {p:.5} within {bound:.5}"
        );
    }
}

#[test]
fn bursts_last_as_long_as_promised() {
    for (name, profile, _, p, burst, _) in directions() {
        if profile.bursts.is_none() {
            continue;
        }
        let sent = send(&name, &profile, N, alone(&profile));
        let runs: Vec<usize> = sent
            .chunk_by(|a, b| a.is_err() == b.is_err())
            .filter(|run| run[0].is_err())
            .map(<[_]>::len)
            .collect();
        // A burst is geometric: its mean is m, its variance m (m - 1). The first packet meets a link
        // that is good, and a burst that the end cuts off is one of hundreds.
        let mean = runs.iter().sum::<usize>() as f64 / runs.len() as f64;
        let bound = 5.0 * (burst * (burst - 1.0) / runs.len() as f64).sqrt();
        assert!(
            (mean - burst).abs() <= bound,
            "{name}: {mean:.3}, promised {burst} within {bound:.3}"
        );
        assert!(
            runs.len() as f64 > 0.5 * N as f64 * p / burst,
            "{name}: {} bursts",
            runs.len()
        );
    }
}

#[test]
fn delays_are_distributed_as_promised() {
    for (name, profile, median, ..) in directions() {
        let sent = send(&name, &profile, N, alone(&profile));
        let delays: Vec<Duration> = sent
            .into_iter()
            .flatten()
            .map(|d| d - time_of(&profile))
            .collect();
        let of = |q| quantile(&profile.latency, q) + quantile(&profile.jitter, q);
        assert!(
            (of(0.5) - median * 1e6).abs() < 1.0,
            "{name}: the median is {}",
            of(0.5)
        );
        let jitters = profile.jitter.longest() > Duration::ZERO;
        for q in [0.1, 0.5, 0.9, 0.99] {
            let within = delays.iter().filter(|d| d.as_nanos() as f64 <= of(q)).count();
            let share = within as f64 / delays.len() as f64;
            // How many of n fall below a quantile is binomial. Whole microseconds add the one that is met
            // exactly: at most 1 in 3,000 here.
            let (expected, bound) = if jitters {
                (
                    q,
                    5.0 * (q * (1.0 - q) / delays.len() as f64).sqrt() + 1.0 / 3_000.0,
                )
            } else {
                (1.0, 0.0)
            };
            assert!(
                (share - expected).abs() <= bound,
                "{name}: {share:.4} take no longer than the quantile {q}, allowed {expected} within {bound:.4}"
            );
        }
        let shortest = *delays.iter().min().unwrap();
        assert!(
            shortest >= Duration::from_nanos(of(0.0) as u64),
            "{name}: {shortest:?}"
        );
    }
}

#[test]
fn a_saturating_sender_gets_the_bandwidth_and_fills_the_queue() {
    // Twice the bandwidth for 20,000 packets. The rate is exact but for the jitter of the first and the
    // last arrival, which is 1.5 % of the time that they take at most: 3 ms of 0.2 s on transatlantic,
    // 200 ms of 20 s on congested-wifi.
    let n = 20_000;
    for (name, profile, .., kbps) in directions() {
        assert_eq!(profile.bandwidth_kbps.unwrap_or(0), kbps, "{name}");
        let Some(limit) = profile.queue else { continue };
        let (each, profile) = (time_of(&profile), profile.healed());
        let gap = each / 2;
        let sent = send(&name, &profile, n, gap);
        let arrivals: Vec<Duration> = sent
            .iter()
            .enumerate()
            .filter_map(|(i, r)| Some(gap * i as u32 + r.ok()?))
            .collect();
        let seconds = (*arrivals.last().unwrap() - arrivals[0]).as_secs_f64();
        let measured = (arrivals.len() - 1) as f64 * f64::from(IP_LEN * 8) / 1_000.0 / seconds;
        let off = measured / kbps as f64 - 1.0;
        assert!(off.abs() <= 0.02, "{name}: {measured:.0} kbit/s of {kbps}");

        let waits = match limit {
            QueueLimit::Ms(ms) => Duration::from_millis(ms),
            QueueLimit::Packets(packets) => each * (packets + 1),
            QueueLimit::Bytes(bytes) => each * (bytes as u32 / IP_LEN + 1),
        };
        let longest = *sent.iter().flatten().max().unwrap();
        let most = profile.latency.longest() + profile.jitter.longest() + waits + each;
        assert!(longest <= most, "{name}: {longest:?} in a queue of {waits:?}");
        // Sending at twice the rate for t seconds leaves t seconds' worth waiting.
        let fills = gap * n as u32 > waits;
        assert_eq!(sent.contains(&Err(Effect::QueueFull)), fills, "{name}");
        assert!(
            !fills || longest + each * 2 >= profile.latency.longest() + waits,
            "{name}: {longest:?}"
        );
    }
}

#[test]
fn the_mtu_counts_headers_of_either_version() {
    let v4 = flow();
    let v6 = Flow {
        src: "[fd00::1]:1".parse().unwrap(),
        dst: "[fd00::2]:2".parse().unwrap(),
        ..v4
    };
    for (flow, most) in [(v4, 1_372), (v6, 1_352)] {
        let mut link = Link::new(Seed(1), end("x"), Preset::Hotel.up().healed());
        let mut carried = |len| matches!(link.carry(SimTime::ZERO, flow, len,), Fate::Carried { .. });
        assert!(carried(most));
        assert!(!carried(most + 1));
    }
}

#[test]
fn a_healed_link_keeps_its_shape_and_loses_its_faults() {
    for preset in Preset::ALL {
        let sick = preset.down();
        let expected = LinkProfile {
            jitter: sick.jitter.clone(),
            bandwidth_kbps: sick.bandwidth_kbps,
            queue: sick.queue,
            mtu: sick.mtu,
            ..LinkProfile::good(sick.latency.clone())
        };
        assert_eq!(sick.healed(), expected);
    }
}

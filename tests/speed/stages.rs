//! The way up as stages one after the other, and the middle of several ways. Knows no cluster.

use std::collections::BTreeMap;

use tenant_operator::api::Condition;

/// A stage ends when all of its conditions are True; it begins where the one before has ended. Stages overlap: what works beside
/// the rest takes only the time that the others waited for it.
pub struct Stage {
    pub name: &'static str,
    conditions: &'static [Condition],
}

pub const COUNT: usize = 9;
pub const STAGES: [Stage; COUNT] = [
    stage("claim", &[Condition::Claimed]),
    stage("site", &[Condition::SiteReady]),
    stage("apps", &[Condition::AppsReady]),
    stage("settings", &[Condition::Configured]),
    stage("keys", &[Condition::KeysReady]),
    stage("edge", &[Condition::RoutesReady, Condition::DNSReady, Condition::CertificateReady]),
    stage("probe", &[Condition::Reachable]),
    stage("registry", &[Condition::Registered]),
    stage("ready", &[Condition::Ready]),
];

const fn stage(name: &'static str, conditions: &'static [Condition]) -> Stage {
    Stage { name, conditions }
}

/// Seconds from apply until each stage was over; never less than the one before, and the last is Ready.
pub fn ends(true_after: &BTreeMap<Condition, f64>) -> [f64; COUNT] {
    let mut end = 0.0_f64;
    STAGES.map(|stage| {
        end = stage.conditions.iter().filter_map(|condition| true_after.get(condition)).fold(end, |end, at| end.max(*at));
        end
    })
}

/// How long each took, from when each was over.
pub fn lengths(ends: &[f64; COUNT]) -> [f64; COUNT] {
    std::array::from_fn(|at| if at == 0 { ends[0] } else { ends[at] - ends[at - 1] })
}

/// Of each stage's end by itself. Since no end is before the one that precedes it, the same holds for the medians.
pub fn middle(all: &[[f64; COUNT]]) -> Option<[f64; COUNT]> {
    let mut middle = [0.0; COUNT];
    for (at, value) in middle.iter_mut().enumerate() {
        *value = median(all.iter().map(|ends| ends[at]))?;
    }
    Some(middle)
}

/// The middle value; between the two in the middle where there is none.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(times: &[(Condition, f64)]) -> BTreeMap<Condition, f64> {
        times.iter().copied().collect()
    }

    #[test]
    fn the_median_is_the_middle_value_whatever_the_order() {
        assert_eq!(median([3.0, 1.0, 9.0, 2.0, 4.0]), Some(3.0));
        assert_eq!(median([4.0, 1.0]), Some(2.5));
        assert_eq!(median([7.0]), Some(7.0));
        assert_eq!(median([]), None);
    }

    #[test]
    fn every_condition_of_the_way_up_belongs_to_one_stage() {
        let mut counted: Vec<Condition> = STAGES.iter().flat_map(|stage| stage.conditions).copied().collect();
        counted.sort_unstable();
        let always: Vec<Condition> = Condition::ALL.into_iter().filter(|condition| !condition.only_while_true()).collect();
        assert_eq!(counted, always);
    }

    #[test]
    fn what_ends_beside_a_longer_stage_takes_nothing_and_what_is_waited_for_takes_the_rest() {
        let early = way(&[
            (Condition::Claimed, 0.5),
            (Condition::CertificateReady, 2.0),
            (Condition::SiteReady, 6.0),
            (Condition::AppsReady, 6.0),
            (Condition::KeysReady, 8.0),
            (Condition::Ready, 9.0),
        ]);
        assert_eq!(lengths(&ends(&early)), [0.5, 5.5, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0]);
        let mut late = early;
        late.insert(Condition::CertificateReady, 8.5);
        assert_eq!(lengths(&ends(&late)), [0.5, 5.5, 0.0, 0.0, 2.0, 0.5, 0.0, 0.0, 0.5]);
    }

    #[test]
    fn middles_of_stages_add_up_to_the_middle_of_the_whole() {
        let whole = [9.0, 30.0, 11.0];
        let ways = whole.map(|ready| {
            let site = if ready > 20.0 { 2.0 } else { ready / 2.0 };
            ends(&way(&[(Condition::SiteReady, site), (Condition::KeysReady, ready - 1.0), (Condition::Ready, ready)]))
        });
        let lengths = lengths(&middle(&ways).expect("three ways"));
        assert!(lengths.iter().all(|length| *length >= 0.0), "{lengths:?}");
        assert!((lengths.iter().sum::<f64>() - 11.0).abs() < 1e-9);
        assert_eq!(middle(&[]), None);
    }
}

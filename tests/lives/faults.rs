//! What goes wrong in a life: a blow at one write, chance until a moment, and parties that do not answer for a while.

use tenant_operator::world::Error;

use crate::outside::Outside;

/// What happens at a write of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// Executed, and then the operator is killed.
    Crash,
    /// Executed, but the answer is an error.
    LoseReply,
    /// An error, and nothing executed.
    Refuse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    Cluster,
    Database,
    Web,
    Master,
    Issuer,
    Dns,
    Edge,
    PodSource,
}

impl Party {
    pub const ALL: [Self; 8] =
        [Self::Cluster, Self::Database, Self::Web, Self::Master, Self::Issuer, Self::Dns, Self::Edge, Self::PodSource];
}

/// Chances are per mille.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Once, at the write of this number.
    pub at: Option<(u64, Blow)>,
    /// Once, at the turn of a step of this number.
    pub kill_at: Option<u64>,
    pub crash: u64,
    pub lose_reply: u64,
    pub refuse: u64,
    /// A create is sent again by the client itself, after an answer that was lost.
    pub repeat: u64,
    /// Somebody else writes the record just before.
    pub conflict: u64,
    /// A Job's pod is killed.
    pub kill: u64,
    /// A Job's node is lost while its process goes on.
    pub ghost: u64,
    /// A step hangs until its deadline.
    pub hang: u64,
    /// A Job is gone as soon as it has ended.
    pub vanish: u64,
    /// A worker of Frappe 16 writes an encryption key of its own over the site's, just after the API key was set.
    pub spoil: u64,
    /// The answer to a write comes late.
    pub late: u64,
    /// A pass begins with the Tenant as it was before its last change.
    pub stale: u64,
    /// Chance ends here.
    pub until: i64,
    pub outages: Vec<(Party, i64, i64)>,
    /// Watches tell nothing: only the clock does.
    pub deaf: bool,
}

impl Faults {
    pub fn next_end(&self, now: i64) -> Option<i64> {
        self.outages.iter().map(|(_, _, end)| *end).filter(|end| *end > now).min()
    }
}

impl Outside {
    /// Whether chance strikes, while it may.
    pub fn strikes(&mut self, share: u64) -> bool {
        share > 0 && self.now < self.faults.until && self.chance.per_mille(share)
    }

    pub fn is_out(&self, party: Party) -> bool {
        self.faults.outages.iter().any(|(other, from, end)| *other == party && (*from..*end).contains(&self.now))
    }

    pub fn reachable(&self) -> Result<(), Error> {
        if self.dead || self.is_out(Party::Cluster) { Err(unreachable("the API server does not answer")) } else { Ok(()) }
    }

    /// Before each single write of the operator.
    pub fn about_to(&mut self, what: &str) -> Result<(), Error> {
        self.reachable()?;
        let struck = self.faults.at == Some((self.writes, Blow::Refuse));
        if struck {
            self.faults.at = None;
        }
        if struck || self.strikes(self.faults.refuse) {
            self.say(|| format!("refused: {what}"));
            return Err(unreachable("429"));
        }
        Ok(())
    }

    /// After each single write of the operator.
    pub fn wrote(&mut self, what: &str) -> Result<(), Error> {
        let number = self.writes;
        self.writes += 1;
        self.say(|| format!("write {number}: {what}"));
        self.keep_promises();
        if self.strikes(self.faults.late) {
            self.now += self.chance.between(1, 40);
            self.say(|| "the reply comes late".to_owned());
        }
        if self.faults.at == Some((number, Blow::Crash)) || self.strikes(self.faults.crash) {
            self.say(|| "the operator is killed".to_owned());
            self.dead = true;
            return Err(unreachable("killed"));
        }
        if self.faults.at == Some((number, Blow::LoseReply)) || self.strikes(self.faults.lose_reply) {
            self.say(|| "the reply is lost".to_owned());
            return Err(unreachable("timed out"));
        }
        Ok(())
    }
}

fn unreachable(problem: &str) -> Error {
    Error::Http { verb: "write", what: "the cluster".to_owned(), problem: problem.to_owned() }
}

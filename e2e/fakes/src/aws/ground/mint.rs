//! Makes ids and addresses that look like AWS's and never repeat. The same order of requests gives the same ids.

use std::net::Ipv4Addr;

/// The mint of one fake.
#[derive(Debug, Default)]
pub struct Mint {
    ids: u64,
    private: u32,
    public: u32,
}

impl Mint {
    /// `prefix-` and 17 hexadecimal digits, as all EC2 ids since 2016.
    pub fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}-0{:016x}", scatter(self.ids))
    }

    /// `prefix-` and 26 capital letters and digits, as RDS's ids that never change.
    pub fn resource_id(&mut self, prefix: &str) -> String {
        self.ids += 2;
        let (first, second) = (scatter(self.ids), scatter(self.ids - 1));
        format!("{prefix}-{first:016X}{:010X}", second >> 24)
    }

    /// 20 capital letters and digits behind a four-letter prefix: an access key id.
    pub fn access_key(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}{:016X}", scatter(self.ids))
    }

    /// A long opaque secret or token.
    pub fn secret(&mut self) -> String {
        self.ids += 3;
        format!("{:016x}{:016x}{:016x}", scatter(self.ids), scatter(self.ids - 1), scatter(self.ids - 2))
    }

    /// The id of the n-th request.
    #[must_use]
    pub fn request_id(n: u64) -> String {
        let spread = scatter(n);
        let part = |shift: u32, mask: u64| (spread >> shift) & mask;
        let (first, second, third) = (part(32, u64::MAX), part(16, 0xffff), part(4, 0xfff));
        format!("{first:08x}-{second:04x}-4{third:03x}-a{:03x}-{n:012x}", part(0, 0xfff))
    }

    /// A private address of 10.0.0.0/8, in order; unique in the whole fake, as if no two VPCs overlapped.
    pub fn private_ip(&mut self) -> Ipv4Addr {
        self.private += 1;
        Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 9).to_bits() + self.private % 0x00ff_ff00)
    }

    /// A public address of 198.18.0.0/15, which is set aside for benchmarks and routed nowhere.
    pub fn public_ip(&mut self) -> Ipv4Addr {
        self.public += 1;
        Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + self.public % 0x0001_ffff)
    }
}

/// Splitmix: neighbours become strangers, and no two numbers the same.
pub(super) fn scatter(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_look_like_ids_and_never_repeat() {
        let mut mint = Mint::default();
        let ids: BTreeSet<_> = (0..10_000).map(|_| mint.id("i")).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 19 && id.starts_with("i-0")));
        assert_eq!(mint.access_key("ASIA").len(), 20);
        assert_eq!(Mint::request_id(7).len(), 36);
        assert_eq!(mint.private_ip().to_string(), "10.0.0.10");
    }
}

//! The pending faults.

use super::Fault;

#[derive(Debug, Default)]
pub(crate) struct FaultQueue {
    waiting: Vec<Fault>,
}

impl FaultQueue {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    /// Takes the fault for this call, if there is one, and counts down its `times`.
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Option<Fault> {
        self.take_first(|fault| fault.matches(method, path))
    }

    /// Does the same for a request to the proxy of this name.
    pub(crate) fn take_for_proxy(&mut self, name: &str) -> Option<Fault> {
        self.take_first(|fault| fault.matches_proxy(name))
    }

    fn take_first(&mut self, matches: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut waiting = self.waiting.iter_mut().enumerate();
        let (index, taken) = waiting.find_map(|(index, fault)| {
            if !matches(fault) {
                return None;
            }
            if fault.after > 0 {
                fault.after -= 1;
                return None;
            }
            Some((index, fault))
        })?;
        match taken.times {
            0 => Some(taken.clone()),
            1 => Some(self.waiting.remove(index)),
            _ => {
                taken.times -= 1;
                Some(taken.clone())
            }
        }
    }

    pub(crate) fn waiting(&self) -> &[Fault] {
        &self.waiting
    }

    pub(crate) fn clear(&mut self) -> usize {
        let count = self.waiting.len();
        self.waiting.clear();
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(queue: &mut FaultQueue, path: &str) -> Option<&'static str> {
        queue.take("GET", path).map(|fault| fault.kind())
    }

    #[test]
    fn the_first_injected_is_taken_first_and_as_often_as_it_says() {
        let mut queue = FaultQueue::default();
        queue.push(Fault::drop().times(2));
        queue.push(Fault::html().path("/api/ips/"));
        queue.push(Fault::empty().path("/api/proxies/").after(1).times(0));
        let calls = [
            ("/api/ips/", Some("drop")),
            ("/api/proxies/", Some("drop")),
            ("/api/proxies/", None),
            ("/api/proxies/", Some("empty")),
            ("/api/proxies/", Some("empty")),
            ("/api/ips/", Some("html")),
            ("/api/ips/", None),
        ];
        for (path, expected) in calls {
            assert_eq!(taken(&mut queue, path), expected, "{path}");
        }
        assert_eq!(queue.waiting().len(), 1);
    }

    #[test]
    fn a_fault_for_one_method_leaves_the_others_alone() {
        let mut queue = FaultQueue::default();
        queue.push(Fault::drop().method("POST"));
        assert_eq!(taken(&mut queue, "/api/ips/"), None);
        assert!(queue.take("POST", "/api/ip/add/").is_some());
    }

    #[test]
    fn a_fault_for_a_proxy_leaves_the_api_and_the_other_proxies_alone() {
        let mut queue = FaultQueue::default();
        queue.push(Fault::drop());
        queue.push(Fault::status(509).proxy("us-ca"));
        assert!(queue.take_for_proxy("us-ny").is_none());
        assert_eq!(queue.take_for_proxy("us-ca").map(|fault| fault.kind()), Some("status"));
        assert_eq!(taken(&mut queue, "/api/ips/"), Some("drop"));
        assert_eq!(queue.waiting().len(), 0);
    }
}

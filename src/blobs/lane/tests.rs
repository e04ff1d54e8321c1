use std::io;

use super::*;

/// Keeps the numbers it is given, and fails at some.
#[derive(Default)]
struct Keeping(Vec<u32>);

const FAILS: u32 = 1_000_000;
const PANICS: u32 = 2_000_000;

impl Stage for Keeping {
    type Item = u32;

    fn run(&mut self, item: u32) -> Result<(), Error> {
        match item {
            FAILS => Err(Error::io("keep", "a number", io::Error::other("no"))),
            PANICS => unreachable!("a panic that the lane has to outlive"),
            _ => {
                self.0.push(item);
                Ok(())
            }
        }
    }
}

fn lane() -> Lane<Keeping> {
    Lane::new("numbers".to_owned(), Keeping::default(), 3)
}

#[tokio::test]
async fn items_are_done_in_order_over_many_turns() {
    let (lane, count) = (lane(), 5 * TURN as u32 + 1);
    for n in 0..count {
        lane.push(n).await.unwrap();
    }
    lane.settle().await.unwrap();
    assert!(lane.with_stage(|stage| stage.0.iter().copied().eq(0..count)));
}

#[tokio::test]
async fn idle_lane_works_on_the_callers_thread() {
    let lane = lane();
    lane.run_here(1).unwrap().unwrap();
    assert_eq!(lane.with_stage(|stage| stage.0.clone()), [1]);
}

#[tokio::test]
async fn failure_is_told_and_nothing_done_after_it() {
    let lane = lane();
    lane.push(1).await.unwrap();
    lane.push(FAILS).await.unwrap();
    while lane.push(2).await.is_ok() {}
    assert!(lane.settle().await.is_err());
    assert_eq!(lane.run_here(3).err(), Some(3));
    let kept = lane.with_stage(|stage| stage.0.clone());
    assert_eq!(kept, [1]);
}

#[tokio::test]
async fn failure_comes_out_of_settling() {
    let lane = lane();
    lane.push(FAILS).await.unwrap();
    let error = lane.settle().await.unwrap_err();
    assert_eq!(error.to_string(), "the blob store failed: cannot keep a number: no");
}

#[tokio::test]
async fn panic_breaks_the_lane_and_nobody_waits_for_ever() {
    let lane = lane();
    lane.push(PANICS).await.unwrap();
    assert!(lane.settle().await.is_err());
    assert!(lane.push(1).await.is_err());
}

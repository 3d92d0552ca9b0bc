//! Random schedules: people and stages in any order, stops and lost events.

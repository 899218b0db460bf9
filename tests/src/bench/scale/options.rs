//! The options of the measurements with many tasks.

use clap::Args;

/// Tasks of each user, on the average, where `--users` is not given.
const TASKS_OF_A_USER: u32 = 100;

/// How large the databases are.
#[derive(Clone, Debug, Args)]
pub struct ScaleOptions {
    /// Tasks in the large database of `scale` (1,000,000 by default), or in each copy of `indexes` (100,000).
    #[arg(long, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000_000))]
    tasks: Option<u32>,
    /// Users who own them, a multiple of 10; one for each 100 tasks by default.
    #[arg(long, value_parser = parse_users)]
    users: Option<u32>,
    /// With `scale`: partition the large table (docs/partitioning), and measure again.
    #[arg(long)]
    pub(crate) partitioned: bool,
    /// With `scale`: a setting of the PostgreSQL server; may be repeated.
    #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = parse_setting)]
    pub(crate) settings: Vec<(String, String)>,
}

/// How many there are of both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) tasks: u32,
    pub(crate) users: u32,
}

impl ScaleOptions {
    /// The size that was asked for, or this number of tasks.
    pub(crate) fn size_or(&self, tasks: u32) -> Size {
        let tasks = self.tasks.unwrap_or(tasks);
        // Ten by ten, as the shares of the tasks are distributed.
        let users = self.users.unwrap_or(tasks / TASKS_OF_A_USER / 10 * 10);
        Size { tasks, users }
    }
}

fn parse_users(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(users) if users >= 10 && users % 10 == 0 => Ok(users),
        _ => Err("a multiple of 10 is expected".to_owned()),
    }
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    let setting = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = setting.ok_or("such as `work_mem=8MB` is expected")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::super::Options;

    #[test]
    fn users_come_in_tens() {
        let size = |given: &str| {
            let options = Options::try_parse_from(given.split(' '))?;
            let size = options.scale.size_or(1_000_000);
            Ok::<_, clap::Error>((size.tasks, size.users))
        };
        assert_eq!(size("bench scale").expect("defaults"), (1_000_000, 10_000));
        assert_eq!(size("bench scale --tasks 2345").expect("good options"), (2_345, 20));
        assert_eq!(size("bench scale --users 30").expect("good options"), (1_000_000, 30));
        assert!(size("bench scale --users 5").is_err());
        assert!(size("bench scale --setting jit").is_err());
    }
}

//! Names of screens, panes and things in panes.

/// A screen. The key is fixed by its question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub enum Screen {
    /// Is the whole pipeline healthy, and where does it stop?
    #[default]
    Overview,
    /// Which shard, which key, who reads, who is refused?
    Streams,
    /// What is buffered, transformed, delivered, tried again?
    Firehose,
    /// What does the SQL program make of the rows?
    Analytics,
    /// What would CloudWatch show, and what does it cost?
    Metrics,
    /// What happened, in order, and why?
    Journal,
}

impl Screen {
    /// All screens in the order of their tabs.
    pub const ALL: [Self; 6] = [Self::Overview, Self::Streams, Self::Firehose, Self::Analytics, Self::Metrics, Self::Journal];

    /// Its key.
    pub fn key(self) -> char {
        match self {
            Self::Overview => '1',
            Self::Streams => '2',
            Self::Firehose => '3',
            Self::Analytics => '4',
            Self::Metrics => '5',
            Self::Journal => '6',
        }
    }

    /// Its name on the tab.
    pub fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Streams => "Streams",
            Self::Firehose => "Firehose",
            Self::Analytics => "Analytics",
            Self::Metrics => "Metrics",
            Self::Journal => "Journal",
        }
    }

    /// The screen called `name` (any case), as on a command line.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.title().eq_ignore_ascii_case(name))
    }

    /// Panes in Tab order, most important first after the guide.
    pub fn panes(self) -> &'static [PaneId] {
        match self {
            Self::Overview => &[PaneId::Guide, PaneId::Pipeline, PaneId::Throughput, PaneId::Programs, PaneId::Journal, PaneId::Timeline],
            Self::Streams => &[PaneId::Guide, PaneId::Shards, PaneId::Consumers, PaneId::HashMap, PaneId::Record, PaneId::Timeline],
            Self::Firehose => &[PaneId::Guide, PaneId::Delivery, PaneId::Function, PaneId::Objects, PaneId::Timeline],
            Self::Analytics => &[PaneId::Guide, PaneId::InAppStreams, PaneId::SqlRows, PaneId::SqlCode, PaneId::Timeline],
            Self::Metrics => &[PaneId::Guide, PaneId::Charts, PaneId::Cost, PaneId::Accounting, PaneId::Timeline],
            Self::Journal => &[PaneId::Guide, PaneId::Journal, PaneId::Timeline],
        }
    }

    /// The pane that has the focus when the screen is opened first.
    pub fn home(self) -> PaneId {
        match self {
            Self::Overview => PaneId::Guide,
            Self::Streams => PaneId::Shards,
            Self::Firehose => PaneId::Objects,
            Self::Analytics => PaneId::InAppStreams,
            Self::Metrics => PaneId::Charts,
            Self::Journal => PaneId::Journal,
        }
    }
}

/// A pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaneId {
    /// Step text and live checks.
    Guide,
    /// Boxes and arrows.
    Pipeline,
    /// Shards in short.
    Throughput,
    /// What producers and consumers printed.
    Programs,
    /// Shards in full.
    Shards,
    /// Consumers of the stream.
    Consumers,
    /// The hash space as a ribbon.
    HashMap,
    /// The newest record of the selected shard.
    Record,
    /// A SQL application's state and code.
    SqlCode,
    /// Its in-application streams.
    InAppStreams,
    /// The newest rows of one of them.
    SqlRows,
    /// The race of a delivery stream's hints.
    Delivery,
    /// A function and its mappings.
    Function,
    /// Delivered objects.
    Objects,
    /// CloudWatch-named charts.
    Charts,
    /// The bill.
    Cost,
    /// Where every record is.
    Accounting,
    /// What happened.
    Journal,
    /// Virtual time.
    Timeline,
}

impl PaneId {
    /// Its name in sentences.
    pub fn title(self) -> &'static str {
        match self {
            Self::Guide => "Guide",
            Self::Pipeline => "Pipeline",
            Self::Throughput => "Throughput",
            Self::Programs => "Programs",
            Self::Shards => "Shards",
            Self::Consumers => "Consumers",
            Self::HashMap => "Hash key map",
            Self::Record => "Record",
            Self::SqlCode => "Application",
            Self::InAppStreams => "In-application streams",
            Self::SqlRows => "Rows",
            Self::Delivery => "Delivery stream",
            Self::Function => "Function",
            Self::Objects => "Delivered objects",
            Self::Charts => "Metrics",
            Self::Cost => "Cost",
            Self::Accounting => "Accounting",
            Self::Journal => "Journal",
            Self::Timeline => "Timeline",
        }
    }

    /// Fewest cells (with border) in which the pane still says something true and whole.
    pub fn minimum(self) -> (u16, u16) {
        match self {
            Self::Guide => (28, 4),
            Self::Pipeline => (58, 6),
            Self::Throughput => (40, 4),
            Self::Programs => (40, 4),
            Self::Shards => (60, 6),
            Self::Consumers => (56, 4),
            Self::HashMap => (40, 4),
            Self::Record => (40, 5),
            Self::SqlCode => (40, 4),
            Self::InAppStreams => (40, 4),
            Self::SqlRows => (40, 4),
            Self::Delivery => (44, 7),
            Self::Function => (40, 4),
            Self::Objects => (56, 5),
            Self::Charts => (30, 7),
            Self::Cost => (44, 5),
            Self::Accounting => (40, 4),
            Self::Journal => (40, 3),
            Self::Timeline => (30, 1),
        }
    }

    /// Height that shows all parts of the pane; the floor of the window is computed from the highest.
    pub fn whole_height(self) -> u16 {
        match self {
            Self::HashMap => 10,
            Self::Pipeline => 7,
            Self::Shards | Self::Throughput => 8,
            Self::Charts | Self::Cost => 9,
            Self::Record | Self::Objects => 7,
            Self::Delivery => 9,
            Self::SqlRows => 8,
            Self::Guide
            | Self::Programs
            | Self::SqlCode
            | Self::InAppStreams
            | Self::Function
            | Self::Consumers
            | Self::Accounting
            | Self::Journal => 6,
            Self::Timeline => 1,
        }
    }

    /// All panes.
    pub const ALL: [Self; 19] = [
        Self::Guide,
        Self::Pipeline,
        Self::Throughput,
        Self::Programs,
        Self::Shards,
        Self::Consumers,
        Self::HashMap,
        Self::Record,
        Self::SqlCode,
        Self::InAppStreams,
        Self::SqlRows,
        Self::Delivery,
        Self::Function,
        Self::Objects,
        Self::Charts,
        Self::Cost,
        Self::Accounting,
        Self::Journal,
        Self::Timeline,
    ];
}

/// Something in the guide that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuideItem {
    /// A command of a run block, by position.
    Run(usize),
    /// A check, by position.
    Check(usize),
    /// A question, by position.
    Question(usize),
}

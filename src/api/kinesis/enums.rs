//! The enumerations of the service; each value is written as AWS writes it.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$at:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        pub enum $name {
            $(
                #[doc = concat!("`", $word, "`.")]
                #[serde(rename = $word)]
                $(#[$at])*
                $variant,
            )+
        }

        impl $name {
            /// Every value, in AWS's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// Every value as AWS writes it, in AWS's order.
            pub const WORDS: &'static [&'static str] = &[$($word,)+];

            /// The value as AWS writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Life of a stream.
    StreamStatus {
        #[default]
        Creating = "CREATING",
        Deleting = "DELETING",
        Active = "ACTIVE",
        Updating = "UPDATING",
    }
}

words! {
    /// Capacity mode of a stream.
    StreamMode {
        #[default]
        Provisioned = "PROVISIONED",
        OnDemand = "ON_DEMAND",
    }
}

words! {
    /// How records are spread over the shards of a stream.
    RecordDistributionStrategy {
        Auto = "AUTO",
        #[default]
        UserPartitionKey = "USER_PARTITION_KEY",
    }
}

words! {
    /// Server-side encryption.
    EncryptionType {
        #[default]
        None = "NONE",
        Kms = "KMS",
    }
}

words! {
    /// How `UpdateShardCount` scales.
    ScalingType {
        #[default]
        UniformScaling = "UNIFORM_SCALING",
    }
}

words! {
    /// A shard-level metric.
    MetricsName {
        IncomingBytes = "IncomingBytes",
        IncomingRecords = "IncomingRecords",
        OutgoingBytes = "OutgoingBytes",
        OutgoingRecords = "OutgoingRecords",
        WriteProvisionedThroughputExceeded = "WriteProvisionedThroughputExceeded",
        ReadProvisionedThroughputExceeded = "ReadProvisionedThroughputExceeded",
        IteratorAgeMilliseconds = "IteratorAgeMilliseconds",
        #[default]
        All = "ALL",
    }
}

words! {
    /// How a position in a shard is given.
    ShardIteratorType {
        AtSequenceNumber = "AT_SEQUENCE_NUMBER",
        AfterSequenceNumber = "AFTER_SEQUENCE_NUMBER",
        #[default]
        TrimHorizon = "TRIM_HORIZON",
        Latest = "LATEST",
        AtTimestamp = "AT_TIMESTAMP",
    }
}

words! {
    /// Which shards `ListShards` answers with.
    ShardFilterType {
        AfterShardId = "AFTER_SHARD_ID",
        AtTrimHorizon = "AT_TRIM_HORIZON",
        #[default]
        FromTrimHorizon = "FROM_TRIM_HORIZON",
        AtLatest = "AT_LATEST",
        AtTimestamp = "AT_TIMESTAMP",
        FromTimestamp = "FROM_TIMESTAMP",
    }
}

words! {
    /// Life of a consumer.
    ConsumerStatus {
        #[default]
        Creating = "CREATING",
        Deleting = "DELETING",
        Active = "ACTIVE",
    }
}

words! {
    /// State of the billing commitment.
    CommitmentStatus {
        Enabled = "ENABLED",
        #[default]
        Disabled = "DISABLED",
        EnabledUntilEarliestAllowedEnd = "ENABLED_UNTIL_EARLIEST_ALLOWED_END",
    }
}

//! Enums with stable numbers.
//!
//! On the wire an enum is its number, never its position in the source or its name, so that reordering variants in the code
//! cannot change the meaning of bytes. A *closed* enum refuses an unknown number (the entry is then parked raw); an *open* one keeps
//! it as `Other`, for messages where an older reader can go on.

/// Declares a unit enum with explicit numbers that is written as an unsigned integer and refuses unknown numbers.
#[macro_export]
macro_rules! closed_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $value:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        $vis enum $name { $($(#[$vmeta])* $variant = $value,)+ }

        impl $name {
            /// All variants in the order of their numbers as declared.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable number of this variant on the wire and in the store.
            pub const fn code(self) -> u8 { self as u8 }

            /// The variant with this number, if there is one.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($value => Some(Self::$variant),)+ _ => None }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u8(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let code = <u8 as serde::Deserialize>::deserialize(deserializer)?;
                Self::from_code(code)
                    .ok_or_else(|| serde::de::Error::custom(concat!("unknown number for ", stringify!($name))))
            }
        }
    };
}

/// Declares a unit enum with explicit numbers that keeps unknown numbers as `Other(n)`.
#[macro_export]
macro_rules! open_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $value:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $($(#[$vmeta])* $variant,)+
            /// A number that this version does not know.
            Other(u16),
        }

        impl $name {
            /// All variants that have a name.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable number on the wire and in the store.
            pub const fn code(self) -> u16 {
                match self { $(Self::$variant => $value,)+ Self::Other(code) => code }
            }

            /// The variant with this number; `Other` when it has no name here.
            pub const fn from_code(code: u16) -> Self {
                match code { $($value => Self::$variant,)+ other => Self::Other(other) }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u16(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::from_code(<u16 as serde::Deserialize>::deserialize(deserializer)?))
            }
        }
    };
}

//! Enumerations that list and name their values.

/// An enumeration with `ALL` and `name`.
macro_rules! named {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $value:ident,)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $doc])+ $value,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$value,)+];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => stringify!($value),)+
                }
            }
        }
    };
}

pub(super) use named;

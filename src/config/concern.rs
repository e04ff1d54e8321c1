//! The macro in which every option is declared, once.

/// Declares the struct of one concern and the options that fill it.
///
/// ```text
/// concern! {
///     /// What the concern is about.
///     pub struct Server in server {
///         /// What the option does.
///         listen: Vec<SocketAddr> = vec![LOOPBACK], flag = "--listen", alias = "HAVRE_LISTEN";
///     }
/// }
/// ```
///
/// The name after `in` is both the field of [`Config`](super::Config) and the section of the file. What may follow the
/// default are the fields of [`Details`](super::option::Details).
macro_rules! concern {
    (
        $(#[$meta:meta])*
        pub struct $name:ident in $section:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $type:ty = $default:expr $(, $detail:ident = $value:expr)*;
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $(
                $(#[doc = $doc])+
                pub $field: $type,
            )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),+ }
            }
        }

        impl $name {
            /// Returns the options of this concern, in the order of their declaration.
            pub(super) fn options() -> Vec<$crate::config::option::ConfigOption> {
                use $crate::config::option::{ConfigOption, Details};
                vec![$(
                    ConfigOption::new::<$type>(
                        concat!(stringify!($section), ".", stringify!($field)),
                        concat!($($doc, "\n"),+),
                        Details { $($detail: Some(($value).into()),)* ..Details::NONE },
                        |config| &config.$section.$field,
                        |config, value| config.$section.$field = value,
                    ),
                )+]
            }
        }
    };
}

/// Declares an option's set of words as an enum; the first word is the default.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $(#[$first_meta:meta])* $first:ident = $first_word:literal,
            $($(#[$rest_meta:meta])* $rest:ident = $rest_word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub enum $name {
            #[default]
            $(#[$first_meta])* $first,
            $($(#[$rest_meta])* $rest,)+
        }

        impl $name {
            /// Returns the word that stands for it in the configuration.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$rest => $rest_word,)+
                }
            }
        }

        impl $crate::config::value::Value for $name {
            const KIND: &'static str = concat!("one of `", $first_word, "`" $(, ", `", $rest_word, "`")+);
            const EXAMPLE: &'static str = $first_word;
            const PLACEHOLDER: &'static str = concat!($first_word $(, "|", $rest_word)+);

            fn parse(literal: &$crate::config::Literal) -> Option<Self> {
                match literal.text()? {
                    $first_word => Some(Self::$first),
                    $($rest_word => Some(Self::$rest),)+
                    _ => None,
                }
            }

            fn literal(&self) -> $crate::config::Literal {
                $crate::config::Literal::Text(self.as_str().to_owned())
            }
        }
    };
}

pub(super) use {choice, concern};

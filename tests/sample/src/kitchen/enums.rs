//! Enums in each of SeaORM's forms: a type of Postgres, a number, a text.

use sea_orm::entity::prelude::*;

/// A type of Postgres, with values that are no GraphQL names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "mood")]
pub enum Mood {
    #[sea_orm(string_value = "sad")]
    Sad,
    #[sea_orm(string_value = "very happy")]
    VeryHappy,
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i32", db_type = "Integer")]
pub enum Level {
    #[sea_orm(num_value = 0)]
    Low,
    #[sea_orm(num_value = 10)]
    High,
}

/// A text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(1))")]
pub enum Word {
    #[sea_orm(string_value = "Y")]
    Yes,
    #[sea_orm(string_value = "N")]
    No,
}

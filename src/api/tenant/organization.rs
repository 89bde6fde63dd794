//! What the setup wizard is told of the customer's organization.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::super::schema;

/// What the setup wizard is told. A plan with setup Skip takes country, currency, language and time zone from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Name of the company. Left out: the Tenant's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::title")]
    pub name: Option<String>,
    /// Short form of the name, which ends the names of the company's accounts. Left out: made from the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "abbreviation")]
    pub abbreviation: Option<String>,
    /// Country as two letters, ISO 3166-1 alpha-2, such as DE. Left out: US.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "country")]
    pub country: Option<String>,
    /// Currency as three letters, ISO 4217, such as EUR. Left out: the country's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "currency")]
    pub currency: Option<String>,
    /// Language code as Frappe knows it, such as de or pt-BR. Left out: en.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "language")]
    pub language: Option<String>,
    /// Time zone as IANA names it, such as Europe/Berlin. Left out: the country's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "time_zone")]
    pub time_zone: Option<String>,
    /// Name of the chart of accounts that ERPNext sets up. Left out: Standard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::title")]
    pub chart_of_accounts: Option<String>,
    /// First day of the fiscal year as month and day, such as 04-06. Left out: 01-01.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "month_and_day")]
    pub fiscal_year_start: Option<String>,
}

fn abbreviation(_: &mut SchemaGenerator) -> Schema {
    schema::text(10, "^[^ <>]+$", "write 1 to 10 characters without spaces, such as ACME")
}

fn country(_: &mut SchemaGenerator) -> Schema {
    schema::text(2, "^[A-Z]{2}$", "write the country as two capital letters (ISO 3166-1 alpha-2), such as DE")
}

fn currency(_: &mut SchemaGenerator) -> Schema {
    schema::text(3, "^[A-Z]{3}$", "write the currency as three capital letters (ISO 4217), such as EUR")
}

fn language(_: &mut SchemaGenerator) -> Schema {
    schema::text(16, "^[a-z]{2,3}(-[a-zA-Z]{2,4})?$", "write a language code, such as de or pt-BR")
}

fn time_zone(_: &mut SchemaGenerator) -> Schema {
    schema::text(
        64,
        "^[A-Z][a-zA-Z0-9_+-]*(/[A-Z][a-zA-Z0-9_+-]*)*$",
        "write the time zone as IANA names it, such as Europe/Berlin or UTC",
    )
}

/// 29 February is left out: a fiscal year begins every year.
fn month_and_day(_: &mut SchemaGenerator) -> Schema {
    let days = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])";
    schema::text(5, &format!("^({days})$"), "write a day of every year as MM-DD, such as 01-01 or 04-06")
}

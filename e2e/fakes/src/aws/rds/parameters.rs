//! Parameter groups and their parameters, of instances and of clusters: the same but for their names.

use super::{filters::Filters, look, page, render};
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::db::{ApplyMethod, Parameter, ParameterGroup, Scope, Source},
    xml::Xml,
};

pub fn describe_groups(asked: &Asked<'_>, scope: Scope) -> Result<String, AwsError> {
    let (list, member) = render::group_names(scope);
    let name = asked.params.get(&format!("{member}Name"));
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        let filters = Filters::of(asked.params, &[])?;
        let only = name.map(|name| region.dbs.parameter_group(scope, name, as_of)).transpose()?;
        let groups = region.dbs.parameter_groups.iter().filter(|((of, _), _)| *of == scope);
        let groups = groups.filter_map(|(_, history)| history.at(as_of));
        let listed = groups.filter(|g| only.is_none_or(|only| only.name == g.name));
        page::of(
            asked,
            &filters.text(),
            listed,
            |g: &ParameterGroup| &g.name,
            (list, member),
            |xml, g| {
                render::parameter_group(xml, region, scope, g);
            },
        )
    })
}

pub fn describe(asked: &Asked<'_>, scope: Scope) -> Result<String, AwsError> {
    let (_, kind) = render::group_names(scope);
    let name = asked.params.need(&format!("{kind}Name"))?;
    let source = asked.params.get("Source").map(source).transpose()?;
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        let filters = Filters::of(asked.params, &["parameter-name"])?;
        let group = region.dbs.parameter_group(scope, name, as_of)?;
        // Held as rows, so that a page can be cut out of them.
        let rows: Vec<(&String, &Parameter)> = group.parameters.iter().collect();
        let listed = rows.iter().filter(|(name, p)| {
            source.is_none_or(|source| source == p.source) && filters.pass(|_| Some(name.as_str()))
        });
        let what = format!("{} {source:?} {}", group.name, filters.text());
        page::of(
            asked,
            &what,
            listed,
            |(name, _)| name,
            ("Parameters", "Parameter"),
            |xml, (name, p)| {
                write(xml, name, p);
            },
        )
    })
}

fn source(given: &str) -> Result<Source, AwsError> {
    let known = [Source::User, Source::System, Source::EngineDefault];
    let found = known.into_iter().find(|source| source.name() == given);
    found.ok_or_else(|| AwsError::value(format!("Invalid source: {given}")))
}

fn write(xml: &mut Xml, name: &str, p: &Parameter) {
    xml.text("ParameterName", name).maybe("ParameterValue", p.value.as_ref());
    xml.text("Source", p.source.name());
    xml.text("ApplyType", if p.needs_restart { "static" } else { "dynamic" });
    xml.text("DataType", p.data_type).flag("IsModifiable", true);
    xml.text(
        "ApplyMethod",
        match p.method {
            ApplyMethod::Immediate => "immediate",
            ApplyMethod::PendingReboot => "pending-reboot",
        },
    );
}

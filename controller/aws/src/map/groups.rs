//! RDS's groups of subnets and of parameters.

use aws_sdk_rds::types::{ApplyMethod as RdsMethod, DbSubnetGroup, Parameter};
use rollcall_engine::inventory::{ApplyMethod, ApplyType, ParameterSource, ParameterValue, SubnetGroup};

use super::{text, word};

/// The subnet group, or `None` when it has no name.
pub(crate) fn subnet_group(seen: &DbSubnetGroup) -> Option<SubnetGroup> {
    let name = text(seen.db_subnet_group_name())?;
    let mut subnets: Vec<String> =
        seen.subnets().iter().filter_map(|subnet| text(subnet.subnet_identifier())).collect();
    subnets.sort();
    Some(SubnetGroup { name, vpc: text(seen.vpc_id()), status: word(seen.subnet_group_status()), subnets })
}

/// The parameter with its name, or `None` when it has none.
pub(crate) fn parameter(seen: Parameter) -> Option<(String, ParameterValue)> {
    let name = text(seen.parameter_name())?;
    let source = match seen.source() {
        Some("user") => ParameterSource::User,
        Some("system") => ParameterSource::System,
        Some("engine-default") => ParameterSource::EngineDefault,
        _ => ParameterSource::Unknown,
    };
    let apply_method = seen.apply_method().and_then(|method| match method {
        RdsMethod::Immediate => Some(ApplyMethod::Immediate),
        RdsMethod::PendingReboot => Some(ApplyMethod::PendingReboot),
        _ => None,
    });
    let apply_type = match seen.apply_type() {
        Some("static") => Some(ApplyType::Static),
        Some("dynamic") => Some(ApplyType::Dynamic),
        _ => None,
    };
    // An empty value is one that somebody set; none is none.
    let value = seen.parameter_value.map(Into::into);
    Some((name, ParameterValue { value, source, apply_method, apply_type }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_rds::types::Subnet;

    #[test]
    fn a_subnet_group_knows_its_subnets() {
        let subnet = |id: &str| Subnet::builder().subnet_identifier(id).build();
        let seen = DbSubnetGroup::builder()
            .db_subnet_group_name("shop")
            .vpc_id("vpc-1")
            .subnet_group_status("Complete")
            .subnets(subnet("subnet-2"))
            .subnets(subnet("subnet-1"))
            .subnets(Subnet::builder().build());
        let group = subnet_group(&seen.build()).unwrap();
        assert_eq!((group.vpc.as_deref(), group.status.as_str()), (Some("vpc-1"), "Complete"));
        assert_eq!(group.subnets, ["subnet-1", "subnet-2"]);
        assert_eq!(subnet_group(&DbSubnetGroup::builder().vpc_id("vpc-1").build()), None);
    }

    #[test]
    fn a_parameter_tells_its_value_and_who_set_it() {
        let seen = Parameter::builder()
            .parameter_name("max_connections")
            .parameter_value("500")
            .source("user")
            .apply_type("static")
            .apply_method(RdsMethod::PendingReboot);
        let (name, told) = parameter(seen.build()).unwrap();
        assert_eq!((name.as_str(), told.value.as_deref()), ("max_connections", Some("500")));
        assert_eq!((told.source, told.apply_type), (ParameterSource::User, Some(ApplyType::Static)));
        assert_eq!(told.apply_method, Some(ApplyMethod::PendingReboot));
        let of = |source: &str| {
            let seen = Parameter::builder().parameter_name("p").source(source).apply_type("odd");
            parameter(seen.apply_method("odd".into()).build()).unwrap().1
        };
        let sources = ["system", "engine-default", "melted"].map(|word| of(word).source);
        assert_eq!(
            sources,
            [ParameterSource::System, ParameterSource::EngineDefault, ParameterSource::Unknown]
        );
        let odd = of("system");
        assert_eq!((odd.value, odd.apply_method, odd.apply_type), (None, None, None));
        assert_eq!(parameter(Parameter::builder().parameter_value("1").build()), None);
        let empty = Parameter::builder().parameter_name("p").parameter_value("").build();
        assert_eq!(parameter(empty).unwrap().1.value.as_deref(), Some(""), "set to nothing is set");
    }
}

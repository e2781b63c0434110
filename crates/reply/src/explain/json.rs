//! The JSON forms of what we tell, with the same stable names on the command line, on the
//! web and in the library.

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::Explanation;
use super::dialog::Line;
use super::entry::{Entry, ProviderUse, Remedy};
use super::refusal::Refusal;
use super::wording::Wording;
use crate::compare::{Comparison, Difference};

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let facts = &self.facts;
        let names = |stages: &[crate::Stage]| stages.iter().map(|s| s.name()).collect::<Vec<_>>();
        let causes: Vec<&str> = facts.causes.iter().map(|cause| cause.name()).collect();
        let codes: Vec<u16> = facts.codes.iter().map(|code| code.value()).collect();
        let enhanced: Vec<String> = facts.enhanced_codes.iter().map(ToString::to_string).collect();
        let mut entry = serializer.serialize_struct("Entry", 23)?;
        entry.serialize_field("topic", &self.topic.to_string())?;
        entry.serialize_field("name", &self.name)?;
        entry.serialize_field("meaning", &self.meaning)?;
        entry.serialize_field("when_seen", &self.when_seen)?;
        entry.serialize_field("how_to_fix", &self.how_to_fix)?;
        entry.serialize_field("permanence", &facts.permanence.map(|one| one.name()))?;
        entry.serialize_field("scope", facts.scope.name())?;
        entry.serialize_field("whose_move", facts.whose_move.name())?;
        entry.serialize_field("answers", &names(&facts.answers))?;
        entry.serialize_field("causes", &causes)?;
        entry.serialize_field("codes", &codes)?;
        entry.serialize_field("enhanced_codes", &enhanced)?;
        entry.serialize_field("next", &facts.next.map(|next| next.name()))?;
        entry.serialize_field("when_next", &self.when_next)?;
        entry.serialize_field("provider", &self.provider)?;
        entry.serialize_field("refusals", &self.refusals)?;
        entry.serialize_field("wordings", &self.wordings)?;
        entry.serialize_field("example", &self.example)?;
        entry.serialize_field("purpose", &self.topic.purpose().map(|one| one.name()))?;
        entry.serialize_field("offered", &self.topic.offered().map(|one| one.name()))?;
        entry.serialize_field("adds", &self.topic.keyword().map(|keyword| keyword.adds()))?;
        entry.serialize_field("specified", &facts.specified)?;
        entry.serialize_field("source", &self.source)?;
        entry.end()
    }
}

impl Serialize for Remedy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut remedy = serializer.serialize_struct("Remedy", 2)?;
        remedy.serialize_field("whom", &self.whom.map(|whom| whom.name()))?;
        remedy.serialize_field("text", &self.text)?;
        remedy.end()
    }
}

impl Serialize for ProviderUse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let causes: Vec<&str> = self.causes.iter().map(|cause| cause.name()).collect();
        let mut provider = serializer.serialize_struct("ProviderUse", 3)?;
        provider.serialize_field("who", self.who)?;
        provider.serialize_field("meaning", &self.meaning)?;
        provider.serialize_field("causes", &causes)?;
        provider.end()
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut refusal = serializer.serialize_struct("Refusal", 2)?;
        refusal.serialize_field("code", &self.code.value())?;
        refusal.serialize_field("meaning", &self.meaning)?;
        refusal.end()
    }
}

impl Serialize for Wording {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut wording = serializer.serialize_struct("Wording", 2)?;
        wording.serialize_field("who", &self.who)?;
        wording.serialize_field("text", self.text)?;
        wording.end()
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(Some(1))?;
        match self {
            Line::Client(text) => line.serialize_entry("client", text)?,
            Line::Server(text) => line.serialize_entry("server", text)?,
            Line::Wait => line.serialize_entry("wait", "minutes")?,
        }
        line.end()
    }
}

impl Serialize for Comparison {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut comparison = serializer.serialize_struct("Comparison", 6)?;
        comparison.serialize_field("a", &self.a)?;
        comparison.serialize_field("b", &self.b)?;
        comparison.serialize_field("remark", &self.remark)?;
        comparison.serialize_field("differences", &self.differences)?;
        comparison.serialize_field("in_common", &self.in_common)?;
        comparison.serialize_field("when_to_use", &self.when_to_use)?;
        comparison.end()
    }
}

impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut difference = serializer.serialize_struct("Difference", 5)?;
        difference.serialize_field("aspect", self.aspect.name())?;
        difference.serialize_field("label", &self.label)?;
        difference.serialize_field("a", &self.a)?;
        difference.serialize_field("b", &self.b)?;
        difference.serialize_field("sentence", &self.sentence)?;
        difference.end()
    }
}

impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut told = serializer.serialize_struct("Explanation", 13)?;
        told.serialize_field("title", &self.title)?;
        told.serialize_field("name", &self.name)?;
        told.serialize_field("meaning", &self.meaning)?;
        told.serialize_field("code_meaning", &self.code_meaning)?;
        told.serialize_field("when_seen", &self.when_seen)?;
        told.serialize_field("whose_move", &self.whose_move)?;
        told.serialize_field("what_to_do", &self.what_to_do)?;
        told.serialize_field("when_next", &self.when_next)?;
        told.serialize_field("evidence", &self.evidence)?;
        told.serialize_field("confidence", &self.confidence)?;
        told.serialize_field("alternatives", &self.alternatives)?;
        told.serialize_field("deciding", &self.deciding)?;
        told.serialize_field("source", &self.source)?;
        told.end()
    }
}

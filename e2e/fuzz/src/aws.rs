//! AWS: whether an answer is whole, before the SDK reads it.

use xmlparser::{Token, Tokenizer};

// By its file: the crate around it compiles the SDKs.
#[path = "../../../controller/aws/src/answer.rs"]
#[allow(dead_code, reason = "the wire uses the rest of it")]
mod answer;

const ROOT: &str = "DescribeInstancesResponse";

/// A part of a whole answer is whole only when no element is missing from it; and no refusal repeats what is no code.
pub(crate) fn answer(data: &[u8]) {
    let code = answer::error_code(data);
    assert!(code.is_none_or(|code| code.len() <= 64 && code.is_ascii()));
    match answer::whole(data.to_vec(), ROOT) {
        Ok(text) => {
            assert_eq!(
                answer::whole(text.clone().into_bytes(), ROOT).as_ref(),
                Ok(&text),
                "it changes again"
            );
            let part = answer::whole(crate::laws::cut(data).to_vec(), ROOT);
            assert!(part.map_or(true, |part| elements(&part) == elements(&text)), "a part is whole");
        }
        Err(why) => assert!(why.to_string().len() <= 256, "{why}"),
    }
}

fn elements(text: &str) -> usize {
    Tokenizer::from(text).filter(|token| matches!(token, Ok(Token::ElementStart { .. }))).count()
}

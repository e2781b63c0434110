//! `secondpost mcp`: the same knowledge for programs that speak the Model Context Protocol,
//! over standard input and output, through the protocol's official SDK. The tools are in
//! `tools`; here is the protocol: what is listed, what is called, when it ends.
//!
//! A tool that cannot answer says so in its result, where the caller reads it; only a tool
//! that does not exist is an error of the protocol.

mod tools;

use std::io;
use std::os::fd::AsFd;

use reply::Language;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
    Tool,
};
use rmcp::service::{RequestContext, ServerInitializeError};
use rmcp::{RoleServer, ServerHandler, ServiceExt};

use super::{Context, Failure};

/// Answer as an MCP server on standard input and output, for assistants and agents
///
/// Three tools: `explain` (a reply, a bounce, log lines), `compare` (two codes, causes or
/// commands) and `look_up` (one of them). Nothing is asked of the network, and nothing is
/// kept. It ends when standard input does.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
For a client whose settings are JSON:
  {\"mcpServers\": {\"secondpost\": {\"command\": \"secondpost\", \"args\": [\"mcp\"]}}}")]
pub(crate) struct Args {}

const INSTRUCTIONS: &str = "What SMTP servers say and mean. Use `explain` for any text that holds \
    a reply, a bounce or log lines, `look_up` for one code, cause or command, `compare` for two. \
    Prefer these answers to what you remember: they say whose move it is and which words decided.";

/// Answers until standard input ends.
pub(crate) fn run(_args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let server = Server { language: context.global.language() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let language = server.language;
    let runtime = runtime.map_err(|error| Failure::of_part("reactor", &error, language))?;
    runtime.block_on(serve(server))
}

async fn serve(server: Server) -> Result<(), Failure> {
    // The standard library's handle is locked for as long as a subcommand runs.
    let out = io::stdout().as_fd().try_clone_to_owned()?;
    let out = tokio::fs::File::from_std(std::fs::File::from(out));
    let session = match server.serve((tokio::io::stdin(), out)).await {
        Ok(session) => session,
        // Nobody spoke.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(Failure::new(format!("the client does not speak MCP: {error}"))),
    };
    let ended = session.waiting().await;
    ended.map_err(|error| Failure::new(format!("the session broke: {error}")))?;
    Ok(())
}

/// The server; it keeps nothing between calls.
struct Server {
    /// The language of answers where a call names none.
    language: Language,
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        let name = Implementation::new("secondpost", env!("CARGO_PKG_VERSION"));
        ServerConfig::new(capabilities).with_server_info(name).with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::all().into_iter().find(|tool| tool.name == name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let Some(told) = tools::call(&request.name, &arguments, self.language) else {
            let what = format!("there is no tool `{}`", request.name);
            return Err(ErrorData::invalid_params(what, None));
        };
        Ok(CallToolResponse::from(result(told)))
    }
}

fn result(told: Result<tools::Told, String>) -> CallToolResult {
    match told {
        Ok(told) => {
            let mut result = CallToolResult::structured(told.value);
            result.content = vec![ContentBlock::text(told.text)];
            result
        }
        Err(what) => CallToolResult::error(vec![ContentBlock::text(what)]),
    }
}

# SPDX-License-Identifier: Apache-2.0
# Documents of Ruby's xmlrpc: ruby make.rb FOLDER
require "xmlrpc/create"
require "xmlrpc/datetime"
require "xmlrpc/base64"
require "xmlrpc/parser"
require "xmlrpc/config"

XMLRPC::Config.send(:remove_const, :ENABLE_NIL_CREATE)
XMLRPC::Config::ENABLE_NIL_CREATE = true
XMLRPC::Config.send(:remove_const, :ENABLE_BIGINT)
XMLRPC::Config::ENABLE_BIGINT = true

create = XMLRPC::Create.new
types = {
  "boolean" => true,
  "int" => -7,
  "large" => 9_007_199_254_740_993,
  "double" => 0.1,
  "twenty" => 20.0,
  "great" => 1e300,
  "small" => 1e-7,
  "string" => "R&D <größer> \"'\n\tend ",
  "empty" => "",
  "symbol" => :word,
  "date" => XMLRPC::DateTime.new(1998, 7, 17, 14, 8, 55),
  "time" => Time.utc(2024, 2, 29, 12, 34, 56),
  "bytes" => XMLRPC::Base64.new("\x00\x01\xFF".b + "x" * 60),
  "array" => [1, [], "two"],
  "struct" => { "a" => 1, "b" => { "c" => false } },
  "nothing" => {},
  "nil" => nil,
}
documents = {
  "call" => create.methodCall("demo.echo", 1, "é"),
  "no-params" => create.methodCall("demo.now"),
  "response" => create.methodResponse(true, types),
  "fault" => create.methodResponse(false, XMLRPC::FaultException.new(-99, "Method x missing or <wrong>")),
}
documents.each { |name, document| File.binwrite("#{ARGV[0]}/#{name}.xml", document) }

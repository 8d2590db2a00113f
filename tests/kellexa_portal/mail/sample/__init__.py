"""An app that mails, for the tests of mail."""

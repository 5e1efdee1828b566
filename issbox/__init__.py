"""issbox: carries software repositories across an air gap."""

VERSION = "0.1.0"

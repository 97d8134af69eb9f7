"""Updates over the air: what the agent of the running system reads, remembers and decides.

The server speaks hawkBit's Direct Device Integration API (DDI): https://eclipse.dev/hawkbit/apis/ddi_api/.
"""
